import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type GateEnd, judge, startGate } from "../support/gate";
import { alembicProject, type Project } from "../support/project";
import { until } from "../support/until";

/**
 * Its revision waits in the direction that the file `wait` names, and says so by a file: the moment at which a test
 * sends its signal.
 */
function waitingProject(): Promise<Project> {
  return alembicProject({
    revisions: [
      {
        id: "a",
        down: null,
        preamble: `import os, pathlib, time
here = pathlib.Path(__file__).parents[2]


def meet(moment):
    if os.environ.get("WAIT_IN") == moment:
        (here / "reached").write_text(moment)
        time.sleep(300)`,
        upgrade:
          'op.execute("CREATE TABLE t (id int)")\nmeet("upgrade")\nif (here / "down").exists():\n    meet("second upgrade")',
        downgrade: 'op.execute("DROP TABLE t")\n(here / "down").touch()\nmeet("downgrade")',
      },
    ],
  });
}

interface Started extends Disposable {
  readonly child: ChildProcess;
  readonly ended: Promise<GateEnd>;
  /** Its own folder for temporary files: what is left in it was left by this gate. */
  readonly temporary: string;
}

async function start(project: Project, env: Readonly<Record<string, string>>): Promise<Started> {
  const temporary = mkdtempSync(join(tmpdir(), "signals-"));
  execFileSync("chmod", ["755", temporary]);
  const { child, ended } = await startGate(["check"], {
    cwd: project.path,
    env: { TMPDIR: temporary, GATE_TEST_RUN: temporary, ...env },
  });
  return {
    child,
    ended,
    temporary,
    [Symbol.dispose]() {
      child.kill("SIGKILL");
      rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** Processes that name this folder in their arguments or carry its variable: the server, the tool, the holder. */
function processesOf({ temporary }: Started): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return command.includes(temporary) || environment.includes(temporary) ? [`${pid} ${command}`] : [];
    } catch {
      return [];
    }
  });
}

function childrenOf(parent: number): string[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ");
}

const reached = (project: Project) => () => existsSync(join(project.path, "reached"));
const left = (started: Started) => ({
  processes: processesOf(started),
  files: readdirSync(started.temporary),
});

interface Moment {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  arrive(project: Project, started: Started): Promise<void>;
}

const inRevision = (direction: string): Moment => ({
  name: `in the ${direction}`,
  env: { WAIT_IN: direction },
  arrive: (project) => until(reached(project), `the ${direction}`),
});

const moments: readonly Moment[] = [
  {
    name: "while the shadow server starts",
    env: {},
    arrive: (_, started) =>
      until(
        () => readdirSync(started.temporary).some((name) => name.startsWith("migration-gate-")),
        "initdb",
      ),
  },
  {
    name: "when the server is up",
    env: {},
    arrive: (_, started) =>
      until(() => processesOf(started).some((line) => line.includes("listen_addresses")), "the postmaster"),
  },
  inRevision("upgrade"),
  inRevision("downgrade"),
  inRevision("second upgrade"),
];

describe.each([
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const)("%s", (signal, code) => {
  test.each(moments)("$name: ends soon, and nothing is left", async ({ env, arrive }) => {
    await using project = await waitingProject();
    using started = await start(project, env);
    await arrive(project, started);
    const children = childrenOf(started.child.pid ?? 0);
    const at = performance.now();
    started.child.kill(signal);
    const end = await started.ended;
    expect(performance.now() - at).toBeLessThan(20_000);
    expect([end.code, end.signal === null ? 0 : end.signal]).toEqual(
      end.signal === null ? [code, 0] : [null, signal],
    );
    expect({ stdout: end.stdout, stderr: end.stderr }).toEqual({
      stdout: "",
      stderr: `migration-gate was ended by ${signal}: what it had started is stopped and removed.\n`,
    });
    // initdb's own `postgres -V` outlives it by a few milliseconds.
    await until(() => left(started).processes.length === 0, "processes", 20_000).catch(() => undefined);
    expect(left(started)).toEqual({ processes: [], files: [] });
    // The holder of the network namespace sees the gate's end by its channel, and ends then.
    await until(() => !children.some((pid) => existsSync(`/proc/${pid}/exe`)), "the gate's children", 20_000);
  });
});

test("at any other moment", async () => {
  for (const delay of [150, 600, 900, 1200, 1500, 1800, 2200]) {
    await using project = await waitingProject();
    using started = await start(project, {});
    await sleep(delay);
    started.child.kill("SIGTERM");
    const end = await started.ended;
    const early = end.signal === "SIGTERM" || end.code === 143;
    expect(early || end.code === 0, `${delay} ms: ${end.code} ${end.signal} ${end.stderr}`).toBe(true);
    await until(() => left(started).processes.length === 0, "processes", 20_000).catch(() => undefined);
    expect(left(started)).toEqual({ processes: [], files: [] });
  }
});

test("after SIGKILL the next run removes what was left", async () => {
  await using project = await waitingProject();
  using killed = await start(project, { WAIT_IN: "upgrade" });
  await until(reached(project), "the upgrade");
  killed.child.kill("SIGKILL");
  await killed.ended;
  expect(readdirSync(killed.temporary)).not.toEqual([]);
  const { code } = await judge({
    cwd: project.path,
    env: { TMPDIR: killed.temporary, GATE_TEST_RUN: "next" },
  });
  expect(code).toBe(0);
  const isGone = () => !processesOf(killed).some((line) => line.includes("postgres"));
  await until(isGone, "the server's end", 20_000).catch(() => undefined);
  const postgres = processesOf(killed).filter((line) => line.includes("postgres"));
  expect({ postgres, files: readdirSync(killed.temporary) }).toEqual({ postgres: [], files: [] });
});

test("two at once in one folder", async () => {
  await using project = await waitingProject();
  const ends = await Promise.all([judge({ cwd: project.path }), judge({ cwd: project.path })]);
  expect(ends.map(({ code, report }) => [code, report.findings])).toEqual([
    [0, []],
    [0, []],
  ]);
});
