\set aid random(1, 100000 * :scale)
\set delta random(1, 5000)
update pgbench_accounts set abalance = abalance + :delta where aid = :aid;
