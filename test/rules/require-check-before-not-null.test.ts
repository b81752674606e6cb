import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { said } from "./said";

beforeAll(() => loadModule());

const change = 'op.alter_column("users", "email", nullable=False)';
const validate = 'op.execute("ALTER TABLE users VALIDATE CONSTRAINT c")';
const check = (condition: string) =>
  `op.create_check_constraint("c", "users", "${condition}", postgresql_not_valid=True)`;
const foreign = 'op.create_foreign_key("c", "users", "t", ["email"], ["id"], postgresql_not_valid=True)';
const elsewhere = 'op.execute("ALTER TABLE archive.users VALIDATE CONSTRAINT c")';

const cases: Readonly<Record<string, readonly [lines: readonly string[], isReported: boolean]>> = {
  "nothing is validated": [[change], true],
  "what an older revision made is validated": [[validate, change], false],
  "the check on the column is validated": [[check("email IS NOT NULL"), validate, change], false],
  "a check that also says more": [[check("email IS NOT NULL AND visits > 0"), validate, change], false],
  "a check that SQLAlchemy puts together": [
    [
      'op.create_check_constraint("c", "users", sa.column("email").is_not(None), postgresql_not_valid=True)',
      validate,
      change,
    ],
    false,
  ],
  "the check is validated after it": [[check("email IS NOT NULL"), change, validate], true],
  "the check is on another column": [[check("visits IS NOT NULL"), validate, change], true],
  "the check says something of another column": [[check("visits > 0"), validate, change], true],
  "the same in SQL": [
    ['op.execute("ALTER TABLE users ADD CONSTRAINT c CHECK (visits > 0) NOT VALID")', validate, change],
    true,
  ],
  "a foreign key is validated": [[foreign, validate, change], true],
  "another table of that name": [
    [elsewhere, 'op.alter_column("users", "email", nullable=False, schema="app")'],
    true,
  ],
};

describe("NOT NULL where", () => {
  test.each(Object.entries(cases))("%s", (_, [lines, isReported]) => {
    const found = said(lines.join("\n")).filter((one) => one.startsWith("require-check-before-not-null"));
    expect(found).toHaveLength(isReported ? 1 : 0);
  });
});
