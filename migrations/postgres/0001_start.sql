-- Who owns what. A directory version is a number; an account's row holds from
-- its first version to its last (null: still current), so that a nightly export
-- costs what changed, and a message of last month can be rendered again.
create table directory_version (
    number      bigint primary key,
    mapping     text    not null,   -- how the export was read, as JSON
    accounts    bigint  not null,
    identifiers bigint  not null,
    digest      bytea   not null,   -- of every account's digest, in the export's order
    reason      text,               -- why drift was accepted, where it was
    imported_ms bigint  not null
);

create table account (
    n             bigint primary key,
    account       text    not null,
    address       text    not null,  -- where its mail goes; also in the record
    record        text    not null,  -- the export's columns as JSON, secret ones left out
    digest        bytea   not null,  -- of record and identifiers: equal means unchanged
    drift_address bigint  not null,
    drift_name    bigint  not null,
    drift_domains bigint  not null,
    first_version bigint  not null,
    last_version  bigint check (last_version >= first_version)
);
create unique index account_current on account (account) where last_version is null;
create unique index account_key on account (account, first_version);

-- An identifier is a keyed hash of its canonical form; it holds as long as its
-- account's row. Names are kept readable, because they are searched for. The
-- rows lie by account: that is the order they are written and streamed in. They
-- are written only along with their account, so no reference is checked for each.
create table identifier (
    n    bigint  not null,
    kind bigint  not null,
    hash bytea   not null check (length(hash) = 16),
    name text,
    primary key (n, kind, hash)
);
create index identifier_hash on identifier (hash, kind);

-- An import under way: nobody reads these rows until they are accepted, and
-- the next import clears what a killed one left. Only the session named here
-- may add to them. No index while they are filled.
create table staging (
    one     bigint primary key check (one = 1),
    session bigint  not null
);
insert into staging (one, session) values (1, 0);

create unlogged table staged_account (
    line          bigint primary key,
    account       text    not null,
    address       text    not null,
    record        text    not null,
    digest        bytea   not null,
    drift_address bigint  not null,
    drift_name    bigint  not null,
    drift_domains bigint  not null
);
create unlogged table staged_identifier (
    line      bigint  not null,
    kind      bigint  not null,
    hash      bytea   not null,
    exclusive bigint  not null,
    name      text
);
-- The lines whose accounts are new or changed.
create unlogged table staged_new (
    line bigint primary key
);

create table campaign (
    id         bigint primary key,
    name       text    not null,
    revision   bigint  not null,
    body       text    not null,   -- the frozen revision, as JSON
    drill      text,               -- the last passed drill, as JSON
    state      text    not null
               check (state in ('frozen', 'checked', 'approved', 'sending', 'paused', 'halted', 'finished')),
    created_ms bigint  not null,
    unique (name, revision)
);

create table approval (
    campaign  bigint  not null references campaign (id),
    approver  text    not null,
    at_ms     bigint  not null,
    digest    bytea   not null check (length(digest) = 32),   -- of every message's digest
    signature bytea   not null check (length(signature) = 32),
    primary key (campaign, approver)
);

-- One row is one message: the snapshot's part never changes, the state's does.
create table message (
    campaign      bigint  not null references campaign (id),
    account       text    not null,
    ord           bigint  not null,   -- its place in the audience
    stage         bigint  not null,
    extra         text    not null,   -- the audience's extra columns, as JSON
    state         text    not null
                  check (state in ('planned', 'checked', 'held', 'suppressed', 'claimed',
                                   'accepted', 'deferred', 'rejected', 'unknown')),
    digest        bytea   check (length(digest) = 32),
    findings      text,               -- why it is held, as JSON, values masked
    attempt       bigint  not null default 0,
    not_before_ms bigint,
    worker        text,               -- who claimed it: host and process
    code          bigint,            -- the last reply
    reply         text,
    changed_ms    bigint  not null,
    primary key (campaign, account),
    unique (campaign, ord),
    -- Only what was cleared has gone beyond these states.
    check (digest is not null or state in ('planned', 'held', 'suppressed')),
    check ((state = 'claimed') = (worker is not null)),
    check (state <> 'deferred' or not_before_ms is not null),
    check (state <> 'held' or findings is not null)
);
create index message_due on message (campaign, state, stage, ord);
create index message_deferred on message (campaign, not_before_ms) where state = 'deferred';
create index message_finding on message (campaign, ord) where findings is not null;

-- Everything that happened, each entry bound to the one before it.
create table ledger (
    seq      bigint primary key,
    at_ms    bigint  not null,
    campaign bigint,
    kind     text    not null,
    body     text    not null,
    hash     bytea   not null check (length(hash) = 32)
);
create index ledger_campaign on ledger (campaign, seq);

create table suppression (
    address text    primary key,    -- the whole address, folded to lower case
    reason  text    not null,
    at_ms   bigint  not null
);

-- One sending process per campaign.
create table sending (
    campaign bigint primary key references campaign (id),
    holder   text    not null,      -- host and process, for people
    process  text    not null,      -- boot, process table and start, so that a later one is not taken for it
    beat_ms  bigint  not null
);
