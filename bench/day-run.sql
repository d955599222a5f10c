-- The day by hand, one statement for all rows of a kind: bills, debits and messages for what is due; penalty,
-- entries and messages for what is late; an event for each.
insert into hand_bill select shopper, id, due_on, payable from loan where due_on = 100;
insert into hand_debit select shopper, id, due_on, payable, 'sent' from loan where due_on = 100;
insert into hand_entry select shopper, id, 'billed', 100, 'receivable', 'fee', payable / 15 from loan where due_on = 100;
insert into hand_event select shopper, id, version + 1, 'billed', 100 from loan where due_on = 100;
insert into hand_message select shopper, id, 'debit', 100 from loan where due_on = 100;
update loan set state = 'billed', version = version + 1 where due_on = 100;
insert into hand_entry select shopper, id, 'penalty', 100, 'receivable', 'penalty', (payable * (100 - late_since) * 5 + 5000) / 10000 from loan where late_since is not null;
insert into hand_event select shopper, id, version + 1, 'aged', 100 from loan where late_since is not null;
insert into hand_message select shopper, id, 'late', 100 from loan where late_since is not null;
update loan set penalty = (payable * (100 - late_since) * 5 + 5000) / 10000, version = version + 1 where late_since is not null;
