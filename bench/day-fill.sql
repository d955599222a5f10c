-- What a day run by hand starts from: agreements, of which some are due today and as many are late, spread evenly.
-- The figures come in as :agreements and :due. Portable to SQLite, except for how the figures come in.
drop table if exists loan;
drop table if exists hand_bill;
drop table if exists hand_debit;
drop table if exists hand_entry;
drop table if exists hand_event;
drop table if exists hand_message;
create table loan (shopper bigint, id bigint, due_on bigint, late_since bigint, payable bigint, penalty bigint, state text, version bigint, primary key (shopper, id));
create table hand_bill (shopper bigint, loan bigint, due_on bigint, payable bigint, primary key (shopper, loan, due_on));
create table hand_debit (shopper bigint, loan bigint, due_on bigint, amount bigint, state text, primary key (shopper, loan, due_on));
create table hand_entry (shopper bigint, loan bigint, kind text, on_day bigint, debit text, credit text, amount bigint, primary key (shopper, loan, kind, on_day));
create table hand_event (shopper bigint, loan bigint, sequence bigint, kind text, on_day bigint, primary key (shopper, loan, sequence));
create table hand_message (shopper bigint, loan bigint, kind text, on_day bigint, primary key (shopper, loan, kind, on_day));
insert into loan
with recursive n (i) as (select 1 union all select i + 1 from n where i < :agreements)
select i, i,
       case when (i * :due) % :agreements < :due then 100 else 130 end,
       case when (i * :due + :agreements / 2) % :agreements < :due then 90 end,
       33500 + i % 977, 0, 'funded', 1
from n;
create index loan_due on loan (due_on);
create index loan_late on loan (late_since);
