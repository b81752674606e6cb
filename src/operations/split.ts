/** Offsets count UTF-16 units in the text; `to` is exclusive. */
export interface SqlPiece {
  readonly from: number;
  readonly to: number;
}

export interface SqlPieces {
  /** Statements without their `;` and the blanks and comments around them. */
  readonly statements: readonly SqlPiece[];
  readonly comments: readonly SqlPiece[];
}

/**
 * Cuts SQL into statements as psql does: at `;` outside of strings, quoted names, dollar quotes and comments (manual
 * 4.1). One statement that does not parse then leaves the others readable, and none is larger than it must be.
 */
export function splitSql(sql: string): SqlPieces {
  const statements: SqlPiece[] = [];
  const comments: SqlPiece[] = [];
  let start: number | undefined;
  let end = 0;
  let at = 0;
  const close = (): void => {
    if (start !== undefined) statements.push({ from: start, to: end });
    start = undefined;
  };
  while (at < sql.length) {
    const next = tokenEnd(sql, at);
    const first = sql.charCodeAt(at);
    const isComment = next - at >= 2 && (sql.startsWith("--", at) || sql.startsWith("/*", at));
    if (isComment) comments.push({ from: at, to: next });
    else if (first === semicolon) close();
    else if (!isBlank(first)) {
      start ??= at;
      end = next;
    }
    at = next;
  }
  close();
  return { statements, comments };
}

const semicolon = 59;
const wordStart = /[A-Za-z0-9_\u0080-\uffff]/;
const word = /[A-Za-z0-9_$\u0080-\uffff]*/y;
const dollarQuote = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Where the token that starts at `at` ends; an open string or comment goes to the end of the text. */
function tokenEnd(sql: string, at: number): number {
  const first = sql[at] ?? "";
  if (first === "'") return quotedEnd(sql, at, "'", false);
  if (first === '"') return quotedEnd(sql, at, '"', false);
  if (first === "-" && sql[at + 1] === "-") {
    const line = sql.indexOf("\n", at);
    return line < 0 ? sql.length : line;
  }
  if (first === "/" && sql[at + 1] === "*") return commentEnd(sql, at);
  if (first === "$") {
    dollarQuote.lastIndex = at;
    const tag = dollarQuote.exec(sql)?.[0];
    if (tag === undefined) return at + 1;
    const close = sql.indexOf(tag, at + tag.length);
    return close < 0 ? sql.length : close + tag.length;
  }
  if (!wordStart.test(first)) return at + 1;
  if ((first === "e" || first === "E") && sql[at + 1] === "'") return quotedEnd(sql, at + 1, "'", true);
  word.lastIndex = at;
  return at + (word.exec(sql)?.[0].length ?? 1);
}

function quotedEnd(sql: string, at: number, quote: string, escapes: boolean): number {
  for (let index = at + 1; index < sql.length; index++) {
    const character = sql[index];
    if (escapes && character === "\\") index++;
    else if (character === quote) {
      if (sql[index + 1] !== quote) return index + 1;
      index++;
    }
  }
  return sql.length;
}

/** Comments nest in PostgreSQL. */
function commentEnd(sql: string, at: number): number {
  let depth = 0;
  for (let index = at; index < sql.length; index++) {
    if (sql.startsWith("/*", index)) {
      depth++;
      index++;
    } else if (sql.startsWith("*/", index)) {
      depth--;
      index++;
      if (depth === 0) return index + 1;
    }
  }
  return sql.length;
}
