-- What a repayment by hand needs: loans that never run out, and empty tables for what each repayment leaves.
drop table if exists hand_owed;
drop table if exists hand_payment;
drop table if exists hand_booked;
drop table if exists hand_told;
create table hand_owed (shopper bigint, loan bigint, outstanding bigint, version bigint, primary key (shopper, loan));
create table hand_payment (shopper bigint, key bigint, loan bigint, amount bigint, state text, primary key (shopper, key));
create table hand_booked (shopper bigint, key bigint, side bigint, debit text, credit text, amount bigint, primary key (shopper, key, side));
create table hand_told (shopper bigint, loan bigint, sequence bigint, kind text, primary key (shopper, loan, sequence));
insert into hand_owed select i, i, 1000000000, 1 from generate_series(1, 100000) i;
vacuum analyze hand_owed;
