import { loadModule } from "libpg-query";
import { beforeAll, expect, test } from "vitest";
import { type Proved, wayBackOf } from "../../src/deploy/plan";
import type { Revision } from "../../src/model/revision";

beforeAll(() => loadModule());

const revision = { id: "one", downgrade: undefined } as unknown as Revision;

/** Of a proved downgrade that ran these statements and removed these keys. */
function loses(sql: readonly string[], removed: readonly string[] = []): readonly string[] {
  const step = { revision: "one", direction: "downgrade", status: "proved" };
  const changes = removed.map((key) => ({ key, before: "{}", after: undefined }));
  const recorded = { ...step, changes, statements: sql.map((text) => ({ sql: text })) };
  const proved = {
    result: { legs: [{ steps: [recorded] }] },
    steps: [step],
    isBookkeeping: (text: string) => text.includes("alembic_version"),
  };
  return wayBackOf(proved as unknown as Proved, revision).loses;
}

test.each([
  "DELETE FROM one",
  "/* clean */ DELETE FROM one",
  "-- clean\nUPDATE one SET a = 1",
  "DROP INDEX one_id; DELETE FROM one",
  "WITH gone AS (DELETE FROM one RETURNING *) INSERT INTO two SELECT * FROM gone",
  "MERGE INTO one USING two ON one.id = two.id WHEN MATCHED THEN DELETE",
  "INSERT INTO one VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1",
  "DO $$ BEGIN DELETE FROM one; END $$",
  "TRUNCATE one",
])("rows are lost by %s", (sql) => {
  expect(loses([sql])).toEqual([expect.stringMatching(/^rows: /)]);
});

test.each([
  "INSERT INTO one VALUES ('\"DeleteStmt\": delete from')",
  "CREATE TABLE deleted (id int)",
  "SELECT * FROM one FOR UPDATE",
  "DROP INDEX one_id",
  "ALTER TABLE one ALTER COLUMN a DROP DEFAULT",
  "DELETE FROM alembic_version",
])("nothing is lost by %s", (sql) => {
  expect(loses([sql])).toEqual([]);
});

test("what is dropped and made again has lost its rows; what is gone is named once", () => {
  const again = ["DROP TABLE public.one", "CREATE TABLE public.one (id int)"];
  expect(loses(again)).toEqual(["rows: DROP TABLE public.one"]);
  const column = ["ALTER TABLE one DROP COLUMN a", "ALTER TABLE one ADD COLUMN a int"];
  expect(loses(column)).toEqual(["rows: ALTER TABLE one DROP COLUMN a"]);
  expect(loses(["DROP TABLE one"], ["table public.one"])).toEqual(["table public.one"]);
  expect(loses(['ALTER TABLE one DROP COLUMN "A b"'], ['column public.one."A b"'])).toEqual([
    'column public.one."A b"',
  ]);
});
