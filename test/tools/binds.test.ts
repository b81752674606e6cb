import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadModule } from "libpg-query";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors";
import { readSettings } from "../../src/project/read-settings";
import type { ToolProject } from "../../src/tools/contract";
import { findJudged, findProject, readRevisions } from "../../src/tools/find-project";
import { bindsFiles, tableOf } from "../support/binds-project";
import { flaskFiles, table } from "../support/flask-project";
import { type Project, type ProjectFiles, writeProject } from "../support/project";

let several: Project;
let single: Project;
beforeAll(async () => {
  const binds = { "": tableOf("orders"), users: tableOf("people"), audit: tableOf("events") };
  several = await writeProject(bindsFiles([{ id: "a1", down: null, binds }]));
  single = await writeProject(flaskFiles({ revisions: [table("a1", null)] }));
});
afterAll(async () => {
  await several[Symbol.asyncDispose]();
  await single[Symbol.asyncDispose]();
});

const judged = (args: readonly string[], project = several): ToolProject =>
  findJudged(project.path, readSettings(args, {}));

const lines = (...all: readonly string[]) => all.flatMap((line) => ["--bind-url-env", line]);
const both = lines("users=USERS_URL", "audit=AUDIT_URL");

test("without bind it is the default one, and the others are named with their variables", () => {
  expect(judged(both)).toMatchObject({
    bind: {
      name: "",
      others: [
        { name: "users", variable: "USERS_URL" },
        { name: "audit", variable: "AUDIT_URL" },
      ],
    },
  });
  expect(judged([...both, "--bind", "default"]).bind).toEqual(judged(both).bind);
  expect(judged([...both, "--bind", "audit", "--database-url-env", "MAIN"]).bind).toEqual({
    name: "audit",
    others: [
      { name: "", variable: "MAIN" },
      { name: "users", variable: "USERS_URL" },
    ],
  });
  expect(judged(both).unprovable).toBeUndefined();
  // Of a database that only the base still has.
  expect(judged([...both, ...lines("gone=GONE_URL")]).bind).toEqual(judged(both).bind);
});

test("a variable that is not given is asked for, and nothing is proved", () => {
  expect(judged(lines("users=USERS_URL")).unprovable).toEqual({
    what: 'The project migrates 3 databases at once: the default one, "users" and "audit". Nothing says which variable has the address of "audit".',
    reason: 'nothing says which variable has the address of "audit"',
    do: "Set bind-url-env to the variables that the project reads, one line a database: audit=AUDIT_DATABASE_URL",
  });
});

const nearest = "Did you mean users? Set bind to the name as upgrade_<name>() has it.";
const notALine = "is not NAME=VARIABLE";

/** Settings, what the message says, and a part of what to do. */
const refusals: Readonly<Record<string, readonly [readonly string[], string, string]>> = {
  "a misspelt name": [[...both, "--bind", "user"], 'bind names "user"', nearest],
  "a name with quotes and a newline": [
    [...both, "--bind", "users'; DROP TABLE x; --\n\"$(id)"],
    "which is no database of this project",
    "as upgrade_<name>() has it",
  ],
  "a misspelt name in bind-url-env": [
    lines("usres=USERS_URL"),
    'bind-url-env names "usres"',
    "Did you mean users?",
  ],
  "a line without a variable": [lines("users"), notALine, "users=USERS_DATABASE_URL"],
  "a line without a name": [lines("=USERS_URL"), notALine, "users=USERS_DATABASE_URL"],
  "a variable that is none": [lines("users=USERS URL"), notALine, "users=USERS_DATABASE_URL"],
  "an address instead of a variable": [
    lines("users=postgresql://u:geheim@db.example/users"),
    notALine,
    "with the name of the variable that has its address",
  ],
  "an address with a parameter instead of a name": [
    lines("postgresql://u:geheim@db.example/users?sslmode=require"),
    notALine,
    "with the name of the variable that has its address",
  ],
  "two databases with one variable": [
    lines("users=DATABASE_URL"),
    '"default" and "users" have the same variable, DATABASE_URL',
    "a variable of its own",
  ],
  "a database twice": [lines("users=A_URL", "users=B_URL"), 'names "users" twice', "Keep one"],
};

test.each(Object.entries(refusals))("%s is refused", (_, [args, what, advice]) => {
  const error = refused(() => judged(args));
  expect(error.parts.what).toContain(what);
  expect(error.parts.do).toContain(advice);
  expect(JSON.stringify(error.parts)).not.toContain("geheim");
});

test("a project with one database has no bind to choose", () => {
  expect(judged([], single).bind).toBeUndefined();
  expect(judged(["--bind", "default"], single).bind).toBeUndefined();
  expect(refused(() => judged(["--bind", "users"], single)).parts.what).toBe(
    'The setting bind names "users", and the project migrates one database.',
  );
});

const oneFile = (upgrade: string, functions: readonly string[]): ProjectFiles => ({
  "migrations/versions/a1.py": `revision = "a1"
down_revision = None
from alembic import op
${upgrade}
def downgrade(engine_name=None):
    pass
${functions.map((name) => `def ${name}():\n    pass\n`).join("")}`,
});
const givesNoName: ProjectFiles = {
  "migrations/env.py": "# context.run_migrations(engine_name=name)\ncontext.run_migrations()\n",
};

/** An env.py for several databases where nothing else is said, and one revision. */
const asked: Readonly<Record<string, readonly [files: ProjectFiles, names: readonly string[] | undefined]>> =
  {
    "by globals() and their names": [
      oneFile('def upgrade(engine_name):\n    globals()[f"upgrade_{engine_name}"]()', [
        "upgrade_",
        "upgrade_users",
      ]),
      ["", "users"],
    ],
    "by getattr and their names": [
      oneFile("def upgrade(engine_name):\n    getattr(sys.modules[__name__], 'upgrade_' + engine_name)()", [
        "upgrade_orders",
        "upgrade_users",
      ]),
      ["orders", "users"],
    ],
    "by a question for each": [
      oneFile(
        'def upgrade(engine_name):\n    if engine_name == "users":\n        upgrade_users()\n    elif engine_name == "":\n        upgrade_()\n    upgrade_rows()',
        ["upgrade_", "upgrade_users", "upgrade_rows"],
      ),
      ["", "users"],
    ],
    "beside a helper that one of them calls": [
      oneFile(
        'def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\n\ndef upgrade_orders():\n    upgrade_rows()\n',
        ["downgrade_orders", "upgrade_rows", "upgrade_users", "downgrade_users"],
      ),
      ["orders", "users"],
    ],
    "as one of which another does the same": [
      oneFile(
        'def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\n\ndef upgrade_orders():\n    upgrade_users()\n',
        ["downgrade_orders", "upgrade_users", "downgrade_users"],
      ),
      ["orders", "users"],
    ],
    "never, as a helper": [
      oneFile('def upgrade(engine_name=None):\n    upgrade_users()\n    op.create_table("users")', [
        "upgrade_users",
        "upgrade_roles",
      ]),
      undefined,
    ],
    "never, as helpers of a plain upgrade": [
      oneFile("def upgrade(engine_name=None):\n    upgrade_users()", ["upgrade_users"]),
      undefined,
    ],
    "never, where env.py gives no name but in a comment": [
      {
        ...oneFile('def upgrade():\n    globals()["upgrade_%s" % "users"]()', ["upgrade_users"]),
        ...givesNoName,
      },
      undefined,
    ],
  };

describe("functions are databases' where they are called", () => {
  let project: Project;
  const environment = bindsFiles([]);
  beforeAll(async () => {
    project = await writeProject(environment);
  });
  afterAll(() => project[Symbol.asyncDispose]());

  test.each(Object.entries(asked))("%s", (_, [files, names]) => {
    for (const [name, text] of Object.entries({ ...environment, ...files })) {
      mkdirSync(join(project.path, dirname(name)), { recursive: true });
      writeFileSync(join(project.path, name), text);
    }
    expect(findProject(project.path, readSettings([], {})).binds).toEqual(names);
  });
});

test("a revision is read as it is for that database", async () => {
  await loadModule();
  const binds = {
    "": { up: 'op.create_index("by_name", "orders", ["name"])', down: "" },
    users: { up: 'op.drop_column("people", "age")', down: 'raise NotImplementedError("the ages are gone")' },
  };
  await using project = await writeProject(bindsFiles([{ id: "a1", down: null, binds }]));
  const seen = (args: readonly string[]) => {
    const read = readRevisions(judged([...lines("users=USERS_URL"), ...args], project));
    return read.revisions.map((revision) => [
      read.body(revision).operations.map(({ kind }) => kind),
      revision.downgrade?.empty,
      revision.downgrade?.irreversible,
    ]);
  };
  expect(seen([])).toEqual([[["createIndex"], true, undefined]]);
  expect(seen(["--bind", "users"])).toEqual([[["dropColumn"], false, "the ages are gone"]]);
});

function refused(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
