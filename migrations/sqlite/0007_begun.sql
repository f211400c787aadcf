-- Whether a claimed message may have been begun: said on disk before any of it is
-- written. What a dead process had not begun is free again. Claims of before this
-- was kept may all have been begun; in other states it says nothing.
alter table message add column begun integer not null default 1 check (begun in (0, 1));
