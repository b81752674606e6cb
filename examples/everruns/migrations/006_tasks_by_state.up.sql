-- no-transaction
CREATE INDEX CONCURRENTLY tasks_by_state ON tasks (state, updated_at);
