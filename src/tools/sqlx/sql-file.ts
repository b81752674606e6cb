import type { CoveredLines, Operation, OperationOrigin, Remark, RevisionBody } from "../../model/operation";
import type { Direction, RevisionFunction } from "../../model/revision";
import { readSql } from "../../operations/read-sql";
import { splitSql } from "../../operations/split";
import { remarksIn } from "../sql-remarks";

/** A SQL file and the places in it. */
export class SqlText {
  readonly text: string;
  private starts: readonly number[] | undefined;

  constructor(
    readonly file: string,
    bytes: Uint8Array,
  ) {
    this.text = new TextDecoder().decode(bytes);
  }

  /** Of an offset in UTF-16 units; line and column start at 1. */
  position(offset: number): { line: number; column: number } {
    this.starts ??= [0, ...[...this.text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    let line = this.starts.findLastIndex((start) => start <= offset);
    if (line < 0) line = 0;
    return { line: line + 1, column: offset - (this.starts[line] ?? 0) + 1 };
  }
}

const irreversible =
  /^[^\S\n]*--[^\S\n]*migration-gate:[^\S\n]*irreversible\b(?:[^\S\n]+because[^\S\n]+(\S.*))?/m;

/** The whole file as one direction of its revision. */
export function functionOf(sql: SqlText): RevisionFunction {
  const [, reason] = irreversible.exec(sql.text) ?? [];
  let known: RevisionFunction["calls"];
  return {
    file: sql.file,
    line: 1,
    column: 1,
    endLine: sql.position(sql.text.length).line,
    empty: splitSql(sql.text).statements.length === 0,
    irreversible: reason?.trim(),
    get calls() {
      known ??= splitSql(sql.text).statements.map(({ from, to }) => ({
        ...sql.position(from),
        name: "",
        literals: [sql.text.slice(from, to)],
      }));
      return known;
    },
  };
}

/** The way back that a simple migration declares not to have; undefined where it declares nothing. */
export function simpleDowngrade(sql: SqlText): RevisionFunction | undefined {
  const [said, reason] = irreversible.exec(sql.text) ?? [];
  if (said === undefined) return undefined;
  return { file: sql.file, line: 1, column: 1, endLine: 1, empty: false, irreversible: reason?.trim() ?? "" };
}

/** `libpg-query`'s loadModule() must have resolved before. */
export function bodyOf(up: SqlText, down: SqlText | undefined): RevisionBody {
  const read = [
    readDirection(up, "upgrade"),
    ...(down === undefined ? [] : [readDirection(down, "downgrade")]),
  ];
  return {
    operations: read.flatMap(({ operations }) => operations),
    remarks: read.flatMap(({ remarks }) => remarks),
  };
}

function readDirection(sql: SqlText, direction: Direction): { operations: Operation[]; remarks: Remark[] } {
  const { file, text } = sql;
  const reading = readSql(text);
  const at = (from: number, to: number): OperationOrigin => ({
    file,
    ...sql.position(from),
    endLine: sql.position(Math.max(from, to - 1)).line,
    direction,
  });
  const covered = (from: number, to: number): CoveredLines => {
    const [start, end] = [sql.position(from), sql.position(to)];
    return { from: start.line, to: end.line, columns: { from: start.column, to: end.column } };
  };
  // sqlx-core 0.8, migrate/source.rs: the file's first bytes.
  const autocommit = text.startsWith("-- no-transaction");
  return {
    operations: reading.changes.map(({ change, from, to }) => ({
      ...change,
      origin: at(from, to),
      autocommit,
    })),
    remarks: remarksIn(text, reading, at, covered),
  };
}
