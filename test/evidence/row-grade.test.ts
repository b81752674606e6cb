import { expect, test } from "vitest";
import { gradeOf } from "../../src/evidence/row-grade";

const added = [
  { table: "usr", column: "q" },
  { table: "usr", column: "a b" },
];
const error = { detail: undefined };

test.each([
  ["any rows", "NULL in a new column", { ...error, sqlstate: "23502", table: "usr", column: "q" }],
  ["these rows", "NULL in an old column", { ...error, sqlstate: "23502", table: "usr", column: "email" }],
  [
    "these rows",
    "NULL in another table's column",
    { ...error, sqlstate: "23502", table: "team", column: "q" },
  ],
  ["these rows", "NULL in a domain", { ...error, sqlstate: "23502" }],
  [
    "any rows",
    "a new column's default twice",
    { sqlstate: "23505", table: "usr", detail: 'Key (q, "a b")=(1, x) is duplicated.' },
  ],
  [
    "these rows",
    "a new column beside an old one",
    { sqlstate: "23505", table: "usr", detail: "Key (team_id, q)=(1, 2) is duplicated." },
  ],
  [
    "these rows",
    "an expression",
    { sqlstate: "23505", table: "usr", detail: "Key (lower(q))=(x) is duplicated." },
  ],
  ["these rows", "a duplicate that the server does not show", { ...error, sqlstate: "23505", table: "usr" }],
  ["these rows", "a CHECK", { ...error, sqlstate: "23514" }],
  ["these rows", "a value that is too long", { ...error, sqlstate: "22001" }],
  [undefined, "a table that is not there", { ...error, sqlstate: "42P01" }],
])("%s: %s", (grade, _, failure) => {
  expect(gradeOf(failure, added)).toBe(grade);
});
