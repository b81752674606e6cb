import { expect, test } from "vitest";
import { saysSo } from "../../src/lanes/says-so";
import type { RowLoss } from "../../src/model/rows";
import type { RecordedStatement } from "../../src/model/statement";

const lost = (kind: RowLoss["kind"], column?: string): RowLoss => ({
  table: 'app."Users"',
  kind,
  column,
  before: 1,
  after: 0,
  lost: 1,
  examples: [],
  onlyNulls: false,
});
const step = (sql: string) => ({ statements: [{ sql } as RecordedStatement] });

test.for<[sql: string, loss: RowLoss, said: boolean]>([
  ['ALTER TABLE app."Users" DROP COLUMN nick', lost("column gone", "nick"), true],
  ['ALTER TABLE app."Users" DROP COLUMN other', lost("column gone", "nick"), false],
  ["DROP EXTENSION citext CASCADE", lost("column gone", "nick"), false],
  ['ALTER TABLE app."Users" DROP CONSTRAINT nick_key', lost("column gone", "nick"), false],
  ['DROP TABLE app."Users"', lost("table gone"), true],
  ["DROP SCHEMA app CASCADE", lost("table gone"), false],
  ['DELETE FROM app."Users" WHERE old', lost("rows gone"), true],
  ["DELETE FROM app.tenants", lost("rows gone"), false],
  ['DELETE FROM app."UsersOfOld"', lost("rows gone"), false],
  ['UPDATE app."Users" SET nick = lower(nick)', lost("values changed", "nick"), true],
  ['ALTER TABLE app."Users" ALTER seen TYPE date', lost("values changed", "seen"), false],
])("%s", ([sql, loss, said]) => {
  expect(saysSo(step(sql), loss)).toBe(said);
});
