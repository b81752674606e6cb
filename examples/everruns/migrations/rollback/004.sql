ALTER TABLE sessions DROP COLUMN title;
