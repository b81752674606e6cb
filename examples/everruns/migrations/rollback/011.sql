-- Not CONCURRENTLY: a reverse is one transaction with the deletion of its row. The index is small.
DROP INDEX sessions_by_status;
