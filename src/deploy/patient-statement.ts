const comments = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)+/;

const concurrently =
  /^(?:create\s+(?:unique\s+)?index\s+concurrently|drop\s+index\s+concurrently|reindex\s+(?:\([^()]*\)\s*)?(?:index|table|schema|database|system)\s+concurrently|reindex\s+\((?:[^()]*,)?\s*concurrently(?:\s+(?:on|true|1))?\s*(?:,[^()]*)?\))(?![\w"])/i;

/**
 * CREATE, DROP and REINDEX INDEX CONCURRENTLY: readers and writers pass a session that waits in one, and one that is
 * cancelled leaves an invalid index.
 */
export function isConcurrently(statement: string): boolean {
  return concurrently.test(withoutComments(statement));
}

/** What an application does not do from request to request. */
export function isSchemaChange(statement: string): boolean {
  return /^(?:alter|create|drop)\s/i.test(withoutComments(statement));
}

/** Leading ones, and those between words as spaces; a quoted text stays what it is where it begins with a keyword. */
function withoutComments(statement: string): string {
  return statement
    .replace(comments, "")
    .slice(0, 400)
    .replace(/--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\//g, " ");
}
