-- no-transaction
CREATE INDEX CONCURRENTLY sessions_by_status ON sessions (status) WHERE status <> 'idle';
