import { describe, expect, test } from "vitest";
import { alembicFiles, type RevisionSource } from "../support/project";
import { change, type DeployedChange, deployed } from "./deployed";

/** A revision for each rule that the deploy lane alone can find, in one history that comes to its end on plain rows. */
const revisions = {
  "may-fail-on-rows": {
    direction: "upgrade",
    ...change("CREATE UNIQUE INDEX one_nickname ON users (nickname)", "DROP INDEX one_nickname"),
  },
  "downgrade-loses-data": {
    direction: "downgrade",
    ...change("INSERT INTO countries VALUES ('zz', 'nowhere')", "DELETE FROM countries"),
    id: "c",
    down: "b",
  },
  "schema-depends-on-history": {
    direction: "upgrade",
    ...change(
      "DO $$ BEGIN IF EXISTS (SELECT FROM users) THEN ALTER TABLE users ADD COLUMN old int; END IF; END $$",
      "ALTER TABLE users DROP COLUMN IF EXISTS old",
    ),
    id: "d",
    down: "c",
  },
  "upgrade-loses-data": {
    direction: "upgrade",
    ...change("DELETE FROM tenants", ""),
    id: "e",
    down: "d",
  },
} as const;

const stops = {
  "fails-on-rows": {
    direction: "upgrade",
    ...change("ALTER TABLE users ADD COLUMN rank int NOT NULL", "ALTER TABLE users DROP COLUMN rank"),
  },
} as const;

type Cases = Readonly<Record<string, RevisionSource & { readonly direction: "upgrade" | "downgrade" }>>;

const comment = (rule: string): string => `# migration-gate: allow ${rule} because it is known`;

/** Where an acceptance can stand: what becomes of the revisions, and the settings. */
const places: Readonly<Record<string, (cases: Cases) => DeployedChange>> = {
  "at the statement": (cases) => ({
    revisions: Object.entries(cases).map(([rule, { direction, ...revision }]) => ({
      ...revision,
      [direction]: `${comment(rule)}\n${revision[direction]}`,
    })),
  }),
  "at the top of the file": (cases) => ({
    revisions: [],
    files: Object.fromEntries(
      Object.entries(cases).map(([rule, revision]) => {
        const file = `migrations/versions/${revision.id}.py`;
        const text = alembicFiles({ revisions: [revision] })[file] ?? "";
        return [file, text.replace("from alembic", `${comment(rule)}\nfrom alembic`)];
      }),
    ),
  }),
  "in migration-gate.yml": (cases) => ({
    revisions: Object.values(cases),
    settings: `accept:\n${Object.entries(cases)
      .map(([rule, { id }]) => `  - { rule: ${rule}, revision: ${id}, because: it is known }\n`)
      .join("")}`,
  }),
};

const strict = ["--fail-on", "warning"];

describe("what rows show", () => {
  test("fails the check where nobody accepts it", async () => {
    const { code, open } = await deployed({ revisions: Object.values(revisions), args: strict });
    expect({ code, open: open.filter((line) => !line.startsWith("note")) }).toEqual({
      code: 1,
      open: [
        "error downgrade-loses-data c table public.countries",
        "error schema-depends-on-history d column public.users.old",
        "warning may-fail-on-rows b",
        "warning upgrade-loses-data e table public.users",
      ],
    });
  });

  test.each(Object.entries(places))("is accepted %s, with the check", async (_, accept) => {
    const { code, open, accepted, report } = await deployed({ ...accept(revisions), args: strict });
    expect({ code, open: open.filter((line) => !line.startsWith("note")), accepted }).toEqual({
      code: 0,
      open: [],
      accepted: expect.arrayContaining([
        "downgrade-loses-data c: it is known",
        "may-fail-on-rows b: it is known",
        "schema-depends-on-history d: it is known",
        "upgrade-loses-data e: it is known",
      ]),
    });
    expect(report.verdict).toBe("passed");
  });

  test("that stops every deploy fails the check", async () => {
    const { code, open } = await deployed({ revisions: Object.values(stops) });
    expect({ code, open }).toEqual({ code: 1, open: ["error fails-on-rows b"] });
  });

  test.each(Object.entries(places))("that stops every deploy is accepted %s", async (_, accept) => {
    const { code, open, accepted } = await deployed(accept(stops));
    expect({ code, open, accepted }).toEqual({
      code: 0,
      open: [],
      accepted: ["fails-on-rows b: it is known"],
    });
  });
});
