/** Words in a revision's source by which it may work outside of the one transaction that a failure rolls back. */
const ownTransaction =
  /concurrently|autocommit|isolation_level|\b(?:commit|vacuum|alter\s+system|reindex)\b|create\s+(?:database|tablespace|subscription)|create_(?:async_)?engine|\.engine\b|\bdblink|\bpsycopg|\basyncpg\b/i;

/** Words of an env.py by which every statement is committed by itself. */
const eachStatement = /autocommit|transactional_ddl\s*=\s*False/i;

/** Where the tool itself commits what one transaction would keep together is told by the version table. */
export function worksInOneTransaction(source: string): boolean {
  return !ownTransaction.test(source);
}

/** The files that decide how every revision runs may take its one transaction away. */
export function keepsOneTransaction(environmentSource: string): boolean {
  return !eachStatement.test(environmentSource);
}

/** What is written outside of one transaction would be there twice after another try. */
export function writesRows(source: string): boolean {
  return /insert|update\s|delete\s|merge\s|copy\s|\bcall\b|\bdo\s+\$/i.test(source);
}

/** An index is built or dropped without blocking others, which waits for whoever is older. */
export function buildsConcurrently(source: string): boolean {
  return /concurrently/i.test(source);
}

/** Names of the extensions that a revision's source creates, as far as they stand in its text. */
export function extensionsIn(source: string): string[] {
  const pattern = /create\s+extension\s+(?:if\s+not\s+exists\s+)?\\?["']?([\w-]+)/gi;
  return [...source.matchAll(pattern)].map(([, name]) => name ?? "");
}
