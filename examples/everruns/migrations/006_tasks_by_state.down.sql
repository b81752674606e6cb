-- no-transaction
DROP INDEX CONCURRENTLY tasks_by_state;
