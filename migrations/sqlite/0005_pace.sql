-- The rate that an operator gave a campaign, as in 500/s. Null: the configuration's.
alter table campaign add column rate text;
