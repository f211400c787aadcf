-- A message that stays deferred until its lifetime is over has expired. Its life
-- begins with its first attempt. SQLite changes no check: the table is made anew.
create table message_new (
    campaign      integer not null references campaign (id),
    account       text    not null,
    ord           integer not null,   -- its place in the audience
    stage         integer not null,
    extra         text    not null,   -- the audience's extra columns, as JSON
    state         text    not null
                  check (state in ('planned', 'checked', 'held', 'suppressed', 'claimed',
                                   'accepted', 'deferred', 'rejected', 'expired', 'unknown')),
    digest        blob    check (length(digest) = 32),
    findings      text,               -- why it is held, as JSON, values masked
    attempt       integer not null default 0,
    first_ms      integer,            -- when it was first claimed; null: never, or before this was kept
    not_before_ms integer,
    worker        text,               -- who claimed it: host and process
    code          integer,            -- the last reply
    reply         text,
    changed_ms    integer not null,
    primary key (campaign, account),
    unique (campaign, ord),
    -- Only what was cleared has gone beyond these states.
    check (digest is not null or state in ('planned', 'held', 'suppressed')),
    check ((state = 'claimed') = (worker is not null)),
    check (state <> 'deferred' or not_before_ms is not null),
    check (state <> 'held' or findings is not null)
);
insert into message_new (campaign, account, ord, stage, extra, state, digest, findings, attempt,
                         not_before_ms, worker, code, reply, changed_ms)
select campaign, account, ord, stage, extra, state, digest, findings, attempt,
       not_before_ms, worker, code, reply, changed_ms from message;
drop table message;
alter table message_new rename to message;
create index message_due on message (campaign, state, stage, ord);
create index message_deferred on message (campaign, not_before_ms) where state = 'deferred';
create index message_finding on message (campaign, ord) where findings is not null;
