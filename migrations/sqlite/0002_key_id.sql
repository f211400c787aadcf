-- Which key an export's identifiers were hashed under. Under another key every
-- look-up misses, and the guard would see nobody's data anywhere. Null: imported
-- before this was kept, so that nobody knows.
alter table directory_version add column key_id blob check (length(key_id) = 16);
