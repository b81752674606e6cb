import { expect, test } from "vitest";
import { judge } from "../support/gate";
import { alembicProject } from "../support/project";

const wider = (table: string, more = "") => `op.alter_column("${table}", "n", type_=sa.BigInteger()${more})`;
const number = 'sa.Column("n", sa.Integer)';

/** What each upgrade() does after `users` and `archive.users` are there, and which tables it writes anew. */
const upgrades: Readonly<Record<string, readonly [upgrade: string, rewritten: readonly string[]]>> = {
  known: [wider("users"), ["users"]],
  renamed: [`op.create_table("g", ${number})\nop.rename_table("g", "groups")\n${wider("groups")}`, []],
  perhaps: [`op.execute("CREATE TABLE IF NOT EXISTS members (n int)")\n${wider("members")}`, ["members"]],
  elsewhere: [
    `op.create_table("orders", ${number}, schema="archive")\n${wider("orders")}\n${wider("orders", ', schema="archive"')}`,
    ["orders"],
  ],
  told: [
    `${wider("notes", ', existing_type=sa.Integer(), schema="archive"')}\n${wider("notes")}`,
    ["archive.notes", "notes"],
  ],
};

test("a replay tells of rewrites of tables that were there, and of no others", async () => {
  const ids = Object.keys(upgrades);
  await using project = await alembicProject({
    revisions: [
      {
        id: "given",
        down: null,
        upgrade: [
          'op.execute("CREATE SCHEMA archive")',
          ...["users", "members", "orders", "notes"].map((name) => `op.create_table("${name}", ${number})`),
          `op.create_table("notes", ${number}, schema="archive")`,
        ].join("\n"),
        downgrade: 'raise NotImplementedError("not of interest here")',
      },
      ...Object.entries(upgrades).map(([id, [upgrade]], index) => ({
        id,
        down: ids[index - 1] ?? "given",
        upgrade,
        downgrade: 'raise NotImplementedError("not of interest here")',
      })),
    ],
  });
  const { report } = await judge({ cwd: project.path });
  const found = ids.map((id) => [
    id,
    report.findings
      .filter(({ rule, revision }) => rule === "ban-table-rewrite" && revision === id)
      .map(({ what }) => /\btable "([^"]+)"/.exec(what)?.[1])
      .sort(),
  ]);
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(Object.entries(upgrades).map(([id, [, rewritten]]) => [id, rewritten])),
  );
});
