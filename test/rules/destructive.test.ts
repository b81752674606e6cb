import { loadModule } from "libpg-query";
import { beforeAll, expect, test } from "vitest";
import { said } from "./said";

beforeAll(() => loadModule());

const drop = "ban-drop-table";
const all = "require-batched-backfill";

test.each<readonly [sql: string, expected: readonly string[]]>([
  ["TRUNCATE users, s.orders CASCADE", [`${drop} table users`, `${drop} table s.orders`]],
  ["CREATE TABLE t (id int); TRUNCATE t", []],
  ["DROP SCHEMA IF EXISTS old CASCADE", [`${drop} schema old`]],
  ["DROP SCHEMA old", []],
  ["UPDATE users SET a = 1 WHERE true", [`${all} table users`]],
  ["DELETE FROM users WHERE 1=1", [`${all} table users`]],
  ["DELETE FROM users WHERE id = 1", []],
  ["WITH x AS (UPDATE users SET k = 2 RETURNING 1) SELECT count(*) FROM x", [`${all} table users`]],
])("%s", (sql, expected) => {
  expect(said(`op.execute("${sql}")`)).toEqual(expected);
});
