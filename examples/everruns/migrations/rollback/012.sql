ALTER TABLE agents DROP COLUMN max_turns;
