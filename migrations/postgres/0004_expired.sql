-- A message that stays deferred until its lifetime is over has expired. Its life
-- begins with its first attempt.
alter table message add column first_ms bigint;   -- when it was first claimed; null: never, or before this was kept
alter table message drop constraint message_state_check;
alter table message add constraint message_state_check
    check (state in ('planned', 'checked', 'held', 'suppressed', 'claimed',
                     'accepted', 'deferred', 'rejected', 'expired', 'unknown'));
