-- Who owns what. A directory version is a number; an account's row holds from
-- its first version to its last (null: still current), so that a nightly export
-- costs what changed, and a message of last month can be rendered again.
create table directory_version (
    number      integer primary key,
    mapping     text    not null,   -- how the export was read, as JSON
    accounts    integer not null,
    identifiers integer not null,
    reason      text,               -- why drift was accepted, where it was
    imported_ms integer not null
);

create table account (
    n             integer primary key,
    account       text    not null,
    record        text    not null,  -- the export's columns, secret ones left out
    digest        blob    not null,  -- of record and identifiers: equal means unchanged
    drift_address integer not null,
    drift_name    integer not null,
    drift_domains integer not null,
    first_version integer not null,
    last_version  integer
);
create unique index account_current on account (account) where last_version is null;
create index account_key on account (account, first_version);

-- An identifier is a keyed hash of its canonical form; it holds as long as its
-- account's row, and lies beside that account's others, because they are read
-- together. Names are kept readable, because they are searched for.
create table identifier (
    hash blob    not null,
    kind integer not null,
    n    integer not null references account (n),
    name text,
    primary key (n, kind, hash)
) without rowid;

-- An import under way: nobody reads these rows until they are accepted.
create table staged_account (
    line          integer primary key,
    account       text    not null,
    record        text    not null,
    digest        blob    not null,
    drift_address integer not null,
    drift_name    integer not null,
    drift_domains integer not null
);
create table staged_identifier (
    line      integer not null,
    hash      blob    not null,
    kind      integer not null,
    exclusive integer not null,
    name      text
);

create table campaign (
    id         integer primary key,
    name       text    not null,
    revision   integer not null,
    body       text    not null,   -- the frozen revision, as JSON
    drill      text,               -- the last passed drill, as JSON
    state      text    not null
               check (state in ('frozen', 'checked', 'approved', 'sending', 'paused', 'halted', 'finished')),
    created_ms integer not null,
    unique (name, revision)
);

create table approval (
    campaign  integer not null references campaign (id),
    approver  text    not null,
    at_ms     integer not null,
    digest    blob    not null,    -- of every message's digest
    signature blob    not null,
    primary key (campaign, approver)
);

-- One row is one message: the snapshot's part never changes, the state's does.
create table message (
    campaign      integer not null references campaign (id),
    account       text    not null,
    ord           integer not null,   -- its place in the audience
    stage         integer not null,
    extra         text    not null,   -- the audience's extra columns, as JSON
    state         text    not null
                  check (state in ('planned', 'checked', 'held', 'suppressed', 'claimed',
                                   'accepted', 'deferred', 'rejected', 'unknown')),
    digest        blob,
    findings      text,               -- why it is held, as JSON, values masked
    attempt       integer not null default 0,
    not_before_ms integer,
    worker        text,
    code          integer,            -- the last reply
    reply         text,
    changed_ms    integer not null,
    primary key (campaign, account),
    unique (campaign, ord),
    check (digest is not null or state in ('planned', 'held', 'suppressed')),
    check (state <> 'deferred' or not_before_ms is not null)
);
create index message_due on message (campaign, state, stage, ord);

-- Everything that happened, each entry bound to the one before it.
create table ledger (
    seq      integer primary key,
    at_ms    integer not null,
    campaign integer,
    kind     text    not null,
    body     text    not null,
    hash     blob    not null
);
create index ledger_campaign on ledger (campaign, seq);

create table suppression (
    address text    primary key,    -- the whole address, folded to lower case
    reason  text    not null,
    at_ms   integer not null
);

-- One sending process per campaign.
create table sending (
    campaign integer primary key references campaign (id),
    holder   text    not null,
    beat_ms  integer not null
);
