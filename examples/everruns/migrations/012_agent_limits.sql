ALTER TABLE agents ADD COLUMN max_turns integer;
