ALTER TABLE sessions ADD COLUMN title text;
