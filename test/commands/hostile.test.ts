import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { blames, judge, lintOff, openSteps, runCheck } from "../support/gate";
import { alembicProject, type Project, type RevisionSource } from "../support/project";

const table: RevisionSource = {
  id: "a",
  down: null,
  upgrade: 'op.execute("CREATE TABLE t (id int)")',
  downgrade: 'op.execute("DROP TABLE t")',
};

function second(upgrade: string, downgrade = "", more: Partial<RevisionSource> = {}): Promise<Project> {
  return alembicProject({
    files: lintOff,
    revisions: [table, { id: "b", down: "a", upgrade, downgrade, ...more }],
  });
}

/** Processes that run in this folder. */
function runningIn(folder: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder) && /^\d+$/.test(pid);
    } catch {
      return false;
    }
  });
}

describe.concurrent("names", () => {
  const long = "x".repeat(63);
  const names = [
    "it's",
    'a "quoted" name',
    "with\nnewline",
    "größe 名前",
    "UPPER case",
    "semi;colon",
    "a.b",
    long,
    "%s %(x)s",
    "back\\slash",
  ];
  test.each(names)("%j of tables, columns, indexes and labels", async (name) => {
    const text = JSON.stringify(name);
    const quote = (word: string) => `"${word.replaceAll('"', '""')}"`;
    const label = name.replaceAll("'", "''");
    const create = [
      `CREATE TABLE ${quote(name)} (${quote(name)} int)`,
      `CREATE TYPE ${quote(`${name.slice(0, 60)}_t`)} AS ENUM ('${label}')`,
    ];
    const run = (lines: readonly string[]) =>
      lines
        .map((line) => `op.get_bind().exec_driver_sql(${JSON.stringify(line.replaceAll("%", "%%"))})`)
        .join("\n");
    await using project = await alembicProject({
      files: lintOff,
      revisions: [
        {
          id: "a",
          down: null,
          message: `${text} — message`,
          // Alembic passes over a file whose name has a line feed.
          file: `${name.replaceAll(/[\n/]/g, "_").slice(0, 40)}.py`,
          upgrade: run(create),
          downgrade: run([`DROP TYPE ${quote(`${name.slice(0, 60)}_t`)}`]),
        },
      ],
    });
    const { code, report, stderr } = await judge({ cwd: project.path });
    const plain = /^[a-z_][a-z0-9_$]*$/.test(name);
    expect({ code, blames: blames(report) }, stderr).toEqual({
      code: 1,
      blames: [`error downgrade-leaves-residue a table public.${plain ? name : quote(name)}`],
    });
    const shown = await runCheck({ cwd: project.path });
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain("downgrade-leaves-residue");
  });
});

describe.concurrent("output", () => {
  test("commands of a runner, terminal codes and control characters do nothing", async () => {
    const evil =
      "::set-output name=x::y\\n##[error]no\\n\\x1b]0;title\\x07\\x1b[31mred\\x00\\x9b2J\\u202eabc";
    await using project = await second(`print("${evil}", flush=True)\nraise RuntimeError("${evil}")`);
    const { code, stdout, stderr } = await runCheck({ cwd: project.path });
    expect(code).toBe(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(stdout + stderr).not.toMatch(/^\s*::|##\[/m);
  });

  test("200 MB do no harm", async () => {
    await using project = await second(
      'line = "x" * 9999\nfor _ in range(20000):\n    print(line)\nop.execute("SELECT no_such_column")',
    );
    const { code, report } = await judge({ cwd: project.path });
    expect({ code, blames: blames(report) }).toEqual({ code: 1, blames: ["error upgrade-fails b"] });
    expect(JSON.stringify(report).length).toBeLessThan(100_000);
  });
});

describe.concurrent("a revision that does not end", () => {
  test("is named, and nothing of it is left", async () => {
    await using project = await second("import time\ntime.sleep(300)");
    const { code, report } = await judge({ cwd: project.path, args: ["--tool-timeout", "15"] });
    expect({ code, blames: blames(report), open: openSteps(report) }).toEqual({
      code: 1,
      blames: ["error upgrade-fails b"],
      open: ["b downgrade: skipped, the upgrade fails", "b upgrade: failed, the upgrade fails"],
    });
    expect(report.findings[0]).toMatchObject({
      what: "The upgrade of revision b fails to end in time.",
      seen: expect.stringContaining("The tool did not end within 15 s."),
    });
    expect(runningIn(project.path)).toEqual([]);
  });

  test("because it waits for a lock of its own on another connection", async () => {
    const upgrade = `op.execute("ALTER TABLE t ADD COLUMN x int")
other = sa.create_engine(op.get_bind().engine.url)
with other.connect() as connection:
    connection.exec_driver_sql("INSERT INTO t VALUES (1)")`;
    await using project = await alembicProject({
      files: lintOff,
      transactionPerMigration: true,
      revisions: [table, { id: "b", down: "a", upgrade, downgrade: "" }],
    });
    const { code, report } = await judge({ cwd: project.path, args: ["--tool-timeout", "15"] });
    expect({ code, blames: blames(report) }).toEqual({ code: 1, blames: ["error upgrade-fails b"] });
    expect(report.findings[0]?.do).toContain("lock that the revision itself holds on another connection");
    expect(runningIn(project.path)).toEqual([]);
  });
});
