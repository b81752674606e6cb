import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { change, deployed } from "./deployed";

/** Several real runs of the gate each. */
const minutes = 5 * 60_000;

const honest = change(
  `CREATE UNIQUE INDEX one_nickname ON users (nickname);
   ALTER TABLE users ALTER nickname SET NOT NULL;
   ALTER TABLE users ADD CONSTRAINT roles CHECK (role IN ('member', 'admin'));
   ALTER TABLE tenants ALTER slug TYPE varchar(30);
   ALTER TABLE countries ADD COLUMN iso3 text NOT NULL`,
  `ALTER TABLE countries DROP COLUMN iso3;
   ALTER TABLE tenants ALTER slug TYPE varchar(60);
   ALTER TABLE users DROP CONSTRAINT roles;
   ALTER TABLE users ALTER nickname DROP NOT NULL;
   DROP INDEX one_nickname`,
);

const steering = `rows:
  reference: [countries]
  tables:
    users: { unique: [nickname], not-null: [nickname], values: { role: [admin, member] } }
    public.tenants: { tier: plain, rows: 4 }
`;

test(
  "a change that production's rows take passes once the project says what they are",
  async () => {
    const without = await deployed({ revisions: [honest] });
    expect({ code: without.code, open: without.open }).toEqual({ code: 1, open: ["error fails-on-rows b"] });
    const steered = await deployed({ revisions: [honest], settings: steering });
    expect({ code: steered.code, open: steered.open }).toEqual({ code: 0, open: [] });
    expect(steered.report.deployLane).toMatchObject({
      status: "proved",
      rows: "hostile",
      tables: { filled: 2, all: 2 },
    });
  },
  minutes,
);

test(
  "entries that steer nothing are told, and the kept base is of these rows alone",
  async () => {
    const cache = mkdtempSync(join(tmpdir(), "migration-gate-bases-"));
    // The server's account has to enter it.
    chmodSync(cache, 0o755);
    const harmless = change("ALTER TABLE users ADD COLUMN age int", "ALTER TABLE users DROP COLUMN age");
    const judged = async (settings: string) => {
      const { open, report } = await deployed({
        revisions: [harmless],
        settings,
        env: { MIGRATION_GATE_CACHE: cache },
      });
      return { open, kept: report.deployLane?.kept, report };
    };
    try {
      const names =
        "rows: { tables: { usrs: { rows: 3 }, users: { not-null: [nickname, age, nickame] } } }\n";
      const first = await judged(names);
      expect(first.open).toEqual(["warning unused-row-setting -", "warning unused-row-setting -"]);
      expect(first.kept).toBe(false);
      const told = first.report.findings.filter(({ rule }) => rule === "unused-row-setting");
      expect(told.map(({ what, file, line }) => ({ what, file, at: line }))).toEqual([
        {
          what: 'There is no table "usrs", which rows names.',
          file: "migration-gate.yml",
          at: expect.any(Number),
        },
        {
          what: 'The table public.users has no column "nickame", which rows names.',
          file: "migration-gate.yml",
          at: expect.any(Number),
        },
      ]);
      expect(await judged(`# two\n# lines\n${names}`)).toMatchObject({ kept: true });
      expect(await judged("rows: { default: { rows: 3 } }\n")).toMatchObject({ kept: false, open: [] });
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  },
  minutes,
);

describe("plain rows have what the change names, so that it is not said to fail on any", () => {
  const cases: Readonly<Record<string, readonly [upgrade: string, downgrade: string]>> = {
    "a CHECK behind an UPDATE": [
      "UPDATE users SET role = 'member' WHERE role = 'user'; ALTER TABLE users ADD CONSTRAINT roles CHECK (role IN ('member', 'admin'))",
      "ALTER TABLE users DROP CONSTRAINT roles",
    ],
    "a text that becomes a new enum": [
      "CREATE TYPE kind AS ENUM ('member', 'admin'); ALTER TABLE users ALTER role TYPE kind USING role::kind",
      "ALTER TABLE users ALTER role TYPE text; DROP TYPE kind",
    ],
    "a new column that is filled by what another has": [
      "ALTER TABLE users ADD COLUMN level int; UPDATE users SET level = CASE role WHEN 'member' THEN 1 WHEN 'admin' THEN 2 END; ALTER TABLE users ALTER level SET NOT NULL",
      "ALTER TABLE users DROP COLUMN level",
    ],
  };
  test.each(Object.entries(cases))("%s", async (_, [upgrade, downgrade]) => {
    const { code, open } = await deployed({ revisions: [change(upgrade, downgrade)] });
    expect({ code, open: open.filter((line) => !line.startsWith("note")) }).toEqual({
      code: 0,
      open: ["warning may-fail-on-rows b"],
    });
  });

  test("and what it breaks itself still fails on any row", async () => {
    const broken = change(
      "UPDATE users SET role = 'user'; ALTER TABLE users ADD CONSTRAINT roles CHECK (role IN ('member', 'admin'))",
      "ALTER TABLE users DROP CONSTRAINT roles",
    );
    expect((await deployed({ revisions: [broken] })).open).toEqual(["error fails-on-rows b"]);
  });
});

test("a constraint that is validated later, and a key without the parent's columns, are asked for", async () => {
  const revision = change("", "ALTER TABLE users DROP CONSTRAINT of_country");
  const upgrade = [
    "ALTER TABLE users ADD CONSTRAINT of_country FOREIGN KEY (code) REFERENCES countries NOT VALID",
    "ALTER TABLE users VALIDATE CONSTRAINT of_country",
  ].map((sql) => `op.execute("${sql}")`);
  const { report } = await deployed({ revisions: [{ ...revision, upgrade: upgrade.join("\n") }] });
  const found = report.findings.filter(({ suppressed }) => !suppressed);
  expect(found.map(({ rule }) => rule)).toEqual(["may-fail-on-rows"]);
  expect(found[0]?.seen).toContain(
    'Query: SELECT c."code" FROM "users" AS c WHERE num_nulls(c."code") = 0 AND NOT EXISTS (SELECT FROM "countries" p WHERE p."code" = c."code") LIMIT 20',
  );
});

describe("an acceptance of what rows show", () => {
  const accept = `accept:
  - { rule: may-fail-on-rows, revision: b, because: it is known }
  - { rule: downgrade-loses-data, revision: b, because: it is known }
  - { rule: ban-drop-column, revision: b, because: it is known }
`;
  const harmless = change("ALTER TABLE users ADD COLUMN age int", "ALTER TABLE users DROP COLUMN age");
  const unused = async (args: readonly string[]) => {
    const { report } = await deployed({ revisions: [harmless], settings: accept, args });
    return report.findings.filter(({ rule }) => rule === "unused-suppression").map(({ what }) => what);
  };

  test("is unused where the lane saw that there is nothing to accept, and unknown where it was off", async () => {
    const lint = 'The suppression of "ban-drop-column" suppresses nothing.';
    expect(await unused(["--deploy-lane", "off"])).toEqual([lint]);
    expect((await unused([])).sort()).toEqual([
      lint,
      'The suppression of "downgrade-loses-data" suppresses nothing.',
      'The suppression of "may-fail-on-rows" suppresses nothing.',
    ]);
  });
});
