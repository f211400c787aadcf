-- Processes that send beside one another: until when each may use its share of
-- every rate, by this database's clock. A message's claim has its worker's name.
create table worker (
    name     text    primary key,   -- host and process, for people
    process  text    not null,      -- as in sending
    share    bigint not null check (share between 0 and 1000000),   -- of every rate, in millionths
    until_ms bigint not null
);
-- The stage that is open, for the workers beside the holder.
alter table sending add column stage bigint;
