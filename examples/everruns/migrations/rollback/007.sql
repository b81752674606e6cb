DROP TRIGGER touch ON tasks;
DROP TRIGGER touch ON sessions;
DROP FUNCTION touch();
