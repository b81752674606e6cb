/** Words in a revision's source by which it may work outside of the one transaction that a failure rolls back. */
const ownTransaction =
  /concurrently|autocommit|isolation_level|\b(?:commit|vacuum|alter\s+system|reindex)\b|create\s+(?:database|tablespace|subscription)/i;

/** Where the tool itself commits what one transaction would keep together is told by the version table. */
export function worksInOneTransaction(source: string): boolean {
  return !ownTransaction.test(source);
}

export function buildsConcurrently(source: string): boolean {
  return /concurrently/i.test(source);
}
