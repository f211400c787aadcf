-- Which accounts a version lost, for the guard's index, which is brought up to
-- date by what came and went since it was built. Most accounts never end.
create index account_ended on account (last_version) where last_version is not null;
