-- What calibration found of a version before it became current, as JSON. Not known of
-- versions of before this was kept.
alter table directory_version add column calibration text;
