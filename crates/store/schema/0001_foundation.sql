-- The first schema. Forward only; once released this text is locked by its hash.
--
-- Every owned table says above it who owns it, and each of its keys begins with that owner, so that the data can be
-- spread over machines by owner. Look-up tables hold what must be unique across owners. Configuration is small and is
-- copied everywhere. Amounts are minor units, instants are microseconds since 1970 (UTC), dates are ISO texts, and what
-- is personal is sealed (vault.rs). Narrow tables that a purchase writes keep no row number beside their key on SQLite
-- (`without rowid`): one tree to write instead of two.

-- configuration
create table generation (
    id bigint primary key,
    number bigint not null
);
insert into generation (id, number) values (1, 1);

-- configuration
create table setting (
    kind text not null,
    code text not null,
    version bigint not null,
    detail text not null,
    primary key (kind, code, version)
);

-- configuration
create table business_clock (
    id bigint primary key,
    offset_micros bigint not null,
    day_done text
);
insert into business_clock (id, offset_micros, day_done) values (1, 0, null);

-- configuration
create table budget_slice (
    campaign text not null,
    slice bigint not null,
    remaining bigint not null check (remaining >= 0),
    primary key (campaign, slice)
);

-- lookup
create table person_index (
    kind text not null,
    digest bytea not null,
    shopper text not null,
    primary key (kind, digest)
);

-- lookup
create table order_reference (
    seller text not null,
    reference text not null,
    shopper text not null,
    agreement text not null,
    primary key (seller, reference)
-- sqlite: ) without rowid;
-- postgres: );

-- lookup
create table channel_reference (
    channel text not null,
    reference text not null,
    shopper text not null,
    payment text not null,
    primary key (channel, reference)
-- sqlite: ) without rowid;
-- postgres: );

-- owner: shopper
create table request (
    shopper text not null,
    principal text not null,
    key text not null,
    hash bytea not null,
    reply text not null,
    made_at bigint not null,
    primary key (shopper, principal, key)
-- sqlite: ) without rowid;
-- postgres: );
-- Forgotten by its age, whatever else there is: an entry at the end of a tree for each.
create index request_to_forget on request (made_at);

-- owner: shopper
create table shopper (
    shopper text primary key,
    data_key bytea not null,
    standing text not null,
    created_at bigint not null,
    version bigint not null
);

-- owner: shopper
create table identity (
    shopper text primary key,
    name bytea,
    id_number bytea,
    phone bytea,
    evidence text not null,
    version bigint not null
);

-- owner: shopper
create table contact (
    shopper text not null,
    id text not null,
    name bytea not null,
    phone bytea not null,
    relation text not null,
    consented_at bigint not null,
    primary key (shopper, id)
);

-- owner: shopper
create table consent (
    shopper text not null,
    id text not null,
    purpose text not null,
    document text not null,
    document_version bigint not null,
    text_hash text not null,
    subject text not null,
    given_at bigint not null,
    withdrawn_at bigint,
    primary key (shopper, id)
-- sqlite: ) without rowid;
-- postgres: );

-- owner: shopper
create table application (
    shopper text not null,
    id text not null,
    institution text not null,
    state text not null,
    detail text not null,
    asked_at bigint not null,
    version bigint not null,
    primary key (shopper, id)
);
create index application_by_institution on application (shopper, institution, asked_at, id);

-- owner: shopper
create table credit_line (
    shopper text not null,
    institution text not null,
    credit_limit bigint not null check (credit_limit >= 0),
    own_limit bigint,
    held bigint not null check (held >= 0),
    used bigint not null check (used >= 0),
    expires_on text not null,
    version bigint not null,
    primary key (shopper, institution)
-- Every purchase changes a line, and its new version finds room beside the old one.
-- sqlite: ) without rowid;
-- postgres: ) with (fillfactor = 60);

-- owner: shopper
create table limit_change (
    shopper text not null,
    id text not null,
    institution text not null,
    event text not null,
    amount bigint not null,
    reason text not null,
    at bigint not null,
    primary key (shopper, id)
);

-- owner: shopper
create table quote (
    shopper text not null,
    id text not null,
    institution text not null,
    digest text not null,
    expires_at bigint not null,
    detail text not null,
    primary key (shopper, id)
);
create index quote_to_forget on quote (expires_at);

-- owner: shopper
create table signature (
    shopper text not null,
    quote text not null,
    digest text not null,
    detail text not null,
    signed_at bigint not null,
    primary key (shopper, quote)
-- sqlite: ) without rowid;
-- postgres: );

-- owner: shopper
create table agreement (
    shopper text not null,
    id text not null,
    purchase_order text not null,
    reference text not null,
    price bigint not null,
    institution text not null,
    seller text not null,
    plan text not null,
    plan_version bigint not null,
    currency text not null,
    principal bigint not null,
    outstanding bigint not null,
    held bigint not null,
    stage text not null,
    stage_detail text not null,
    terms text not null,
    schedule text not null,
    lines text not null,
    digest text not null,
    booked_on text,
    confirmed_at bigint not null,
    version bigint not null,
-- The days on which something is to be done about it, and the first of them: they change when the agreement does, and so
-- are written with it.
    expire_on text,
    age_on text,
    bill_on text,
    debit_on text,
    remind_on text,
    next_on text generated always as (
        case when expire_on <= coalesce(age_on, expire_on) and expire_on <= coalesce(bill_on, expire_on)
            and expire_on <= coalesce(debit_on, expire_on) and expire_on <= coalesce(remind_on, expire_on) then expire_on
        when age_on <= coalesce(bill_on, age_on) and age_on <= coalesce(debit_on, age_on)
            and age_on <= coalesce(remind_on, age_on) then age_on
        when bill_on <= coalesce(debit_on, bill_on) and bill_on <= coalesce(remind_on, bill_on) then bill_on
        when debit_on <= coalesce(remind_on, debit_on) then debit_on
        else remind_on end) stored,
    primary key (shopper, id)
);
-- In the order in which the jobs read it; on SQLite with all that they ask of it, so that they pass over what is not theirs.
-- PostgreSQL would look at the row all the same, and pays more for a longer entry.
-- sqlite: create index agreement_next on agreement (next_on, shopper, id, expire_on, age_on, bill_on, debit_on, remind_on) where next_on is not null;
-- postgres: create index agreement_next on agreement (next_on, shopper, id) where next_on is not null;

-- owner: shopper
create table loan_transaction (
    shopper text not null,
    agreement text not null,
    number bigint not null,
    effective_on text not null,
    kind text not null,
    amount bigint not null,
    detail text not null,
    entered_at bigint not null,
    primary key (shopper, agreement, number)
-- sqlite: ) without rowid;
-- postgres: );

-- owner: shopper
create table entry (
    shopper text not null,
    id text not null,
    agreement text not null,
    debit text not null,
    credit text not null,
    amount bigint not null check (amount > 0),
    currency text not null,
    kind text not null,
    effective_on text not null,
    recorded_at bigint not null,
    primary key (shopper, id),
    check (debit <> credit)
-- sqlite: ) without rowid;
-- postgres: );
create index entry_to_roll_up on entry (recorded_at);

-- owner: shopper
create table event (
    shopper text not null,
    aggregate text not null,
    sequence bigint not null,
    kind text not null,
    detail text not null,
    at bigint not null,
    primary key (shopper, aggregate, sequence)
-- sqlite: ) without rowid;
-- postgres: );

-- housekeeping
create table unpublished (
    at bigint not null,
    shopper text not null,
    aggregate text not null,
    sequence bigint not null,
    primary key (at, shopper, aggregate, sequence)
-- Events that are in no feed yet. They are written once and stay as they are; what is to be published comes and goes here,
-- in its order, so that each of them is one entry at the end of one tree.
-- sqlite: ) without rowid;
-- postgres: );

-- owner: subscriber
create table feed (
    subscriber text not null,
    position bigint not null,
    events bigint not null check (events > 0),
    keys text not null,
    primary key (subscriber, position)
-- A page of events that were published together; its position is that of the first, and the others follow.
);

-- owner: shopper
create table work (
    shopper text not null,
    kind text not null,
    subject text not null,
    due_on text not null,
    primary key (shopper, kind, subject)
-- sqlite: ) without rowid;
-- postgres: );
-- In the order in which it is read, so that a page of it is found and not sorted out.
create index work_due on work (kind, due_on, shopper, subject);

-- owner: shopper
create table bill (
    shopper text not null,
    id text not null,
    due_on text not null,
    issued_on text not null,
    amount bigint not null,
    currency text not null,
    detail text not null,
    primary key (shopper, due_on, currency)
-- sqlite: ) without rowid;
-- postgres: );

-- owner: shopper
create table card (
    shopper text not null,
    id text not null,
    token text not null,
    bank text not null,
    last4 text not null,
    state text not null,
    bound_at bigint not null,
    version bigint not null,
    primary key (shopper, id)
);

-- owner: shopper
create table mandate (
    shopper text not null,
    institution text not null,
    card text not null,
    state text not null,
    maximum bigint not null,
    given_at bigint not null,
    version bigint not null,
    primary key (shopper, institution)
);

-- owner: shopper
create table payment (
    shopper text not null,
    id text not null,
    kind text not null,
    state text not null,
    amount bigint not null,
    currency text not null,
    card text not null,
    detail text not null,
    made_at bigint not null,
    version bigint not null,
    primary key (shopper, id)
-- sqlite: ) without rowid;
-- postgres: );

-- owner: shopper
create table payment_claim (
    shopper text not null,
    agreement text not null,
    payment text not null,
    primary key (shopper, agreement)
-- sqlite: ) without rowid;
-- postgres: );

-- owner: shopper
create table goods_return (
    shopper text not null,
    id text not null,
    agreement text not null,
    state text not null,
    detail text not null,
    requested_at bigint not null,
    version bigint not null,
    primary key (shopper, id)
);

-- owner: shopper
create table refund (
    shopper text not null,
    id text not null,
    agreement text not null,
    amount bigint not null,
    detail text not null,
    made_at bigint not null,
    primary key (shopper, id)
);

-- owner: shopper
create table dispute (
    shopper text not null,
    id text not null,
    agreement text not null,
    state text not null,
    detail text not null,
    opened_at bigint not null,
    version bigint not null,
    primary key (shopper, id)
);

-- owner: shopper
create table message (
    shopper text not null,
    id text not null,
    template text not null,
    channel text not null,
    detail text not null,
    state text not null,
    made_at bigint not null,
    send_after bigint not null,
    expires_at bigint not null,
    primary key (shopper, id)
-- sqlite: ) without rowid;
-- postgres: );
create index message_to_send on message (send_after, shopper, id) where state = 'waiting';

-- owner: organisation
create table audit (
    organisation text not null,
    id text not null,
    who text not null,
    approved_by text,
    what text not null,
    subject text not null,
    reason text not null,
    detail text not null,
    at bigint not null,
    primary key (organisation, id)
);

-- owner: organisation
create table proposal (
    organisation text not null,
    id text not null,
    state text not null,
    proposed_by text not null,
    decided_by text,
    command text not null,
    reason text not null,
    proposed_at bigint not null,
    expires_at bigint not null,
    version bigint not null,
    primary key (organisation, id)
);

-- owner: channel
create table statement_line (
    channel text not null,
    reference text not null,
    booked_on text not null,
    amount bigint not null,
    detail text not null,
    primary key (channel, reference)
);

-- owner: channel
create table inbox (
    channel text not null,
    notice text not null,
    body text not null,
    state text not null,
    received_at bigint not null,
    primary key (channel, notice)
);

-- configuration
create table lease (
    name text primary key,
    holder text not null,
    token bigint not null,
    until_at bigint not null
);

-- configuration
create table balance (
    recorded_day bigint not null,
    account text not null,
    currency text not null,
    day text not null,
    debit bigint not null,
    credit bigint not null,
    primary key (recorded_day, account, currency, day)
);

-- One row per instalment for people who ask in SQL; the schedule itself lives packed in its agreement's row.
-- sqlite: create view installment as select a.shopper, a.id as agreement, a.institution, a.currency, json_extract(j.value, '$[0]') as number, json_extract(j.value, '$[1]') as due_on, json_extract(j.value, '$[2]') as principal, json_extract(j.value, '$[3]') as interest, json_extract(j.value, '$[4]') as fee, json_extract(j.value, '$[5]') as penalty, json_extract(j.value, '$[6]') as paid, json_extract(j.value, '$[7]') as waived, json_extract(j.value, '$[8]') as cancelled, json_extract(j.value, '$[9]') as outstanding from agreement a, json_each(a.schedule) j;
-- postgres: create view installment as select a.shopper, a.id as agreement, a.institution, a.currency, (j.value->>0)::bigint as number, j.value->>1 as due_on, (j.value->>2)::bigint as principal, (j.value->>3)::bigint as interest, (j.value->>4)::bigint as fee, (j.value->>5)::bigint as penalty, (j.value->>6)::bigint as paid, (j.value->>7)::bigint as waived, (j.value->>8)::bigint as cancelled, (j.value->>9)::bigint as outstanding from agreement a cross join json_array_elements(a.schedule::json) as j(value);
