-- When a message's last attempt was claimed: what a mail server's log must reach, to
-- show whether it came. Not known of attempts of before this was kept.
alter table message add column claimed_ms integer;
