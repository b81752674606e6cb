import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { graceMs } from "../../src/executors/families";

const linux = process.platform === "linux";
const root = process.getuid?.() === 0;
const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

interface Told {
  readonly folder: string;
  readonly kind: string;
  readonly reason: string;
  readonly milliseconds: number;
  readonly isolated: object;
  readonly open: object;
}

let folder: string;
let program: string;

/** As one CommonJS file, as users run it. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isolation-test-"));
  chmodSync(folder, 0o755);
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: join(import.meta.dirname, "reach-program.ts"),
      outDir: folder,
      rollupOptions: { output: { format: "cjs", entryFileNames: "program.cjs" } },
    },
  });
  program = join(folder, "program.cjs");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tell(user: readonly string[]): Told {
  const argv = [...user, process.execPath, program, "reach"];
  const options = { encoding: "utf8", env: { PATH: process.env.PATH } } as const;
  return JSON.parse(execFileSync(argv[0]!, argv.slice(1), options)) as Told;
}

const users: [name: string, prefix: readonly string[], id: number | undefined][] = root
  ? [
      ["root", [], 0],
      ["an ordinary user", nobody, 65534],
      ["root without CAP_SYS_ADMIN", ["setpriv", "--bounding-set", "-sys_admin"], 0],
    ]
  : [["this user", [], process.getuid?.()]];

describe.runIf(linux)("what a tool reaches", () => {
  test.each(users)("as %s", (_name, prefix, id) => {
    const told = tell(prefix);
    // A machine that forbids namespaces is not a failure of ours; root's tests say whether this one does.
    if (told.kind === "none" && prefix.length > 0) return expect(told.reason).not.toBe("");
    const who = { uid: id, gid: root ? id : process.getgid?.(), cwd: told.folder };
    expect({ kind: told.kind, ...told.isolated }).toEqual({
      kind: "network namespace",
      ...who,
      name: "none",
      interfaces: ["lo"],
      reached: {
        recorder: "recorder 127.0.0.1",
        "second recorder": "recorder 127.0.0.1",
        "another server": "ECONNREFUSED",
        ".s.PGSQL.5432": "ECONNREFUSED",
        "mysqld.sock": "ECONNREFUSED",
        "docker.sock": "ECONNREFUSED",
        ".s.PGSQL.6000": "ECONNREFUSED",
      },
    });
    // The same without isolation: the servers are there.
    expect(told.open).toMatchObject({
      ...who,
      reached: {
        recorder: "recorder 127.0.0.1",
        "second recorder": "recorder 127.0.0.1",
        "another server": "outside",
        ".s.PGSQL.5432": "outside",
        "mysqld.sock": "outside",
        "docker.sock": "outside",
        ".s.PGSQL.6001": "outside",
      },
    });
    expect(told.milliseconds).toBeLessThan(20_500);
  });

  test("no namespaces: none, soon, with the system's word, and all else works", () => {
    const forbid = "echo 0 > /proc/sys/user/max_user_namespaces; echo 0 > /proc/sys/user/max_net_namespaces";
    const prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", `${forbid}; exec "$@"`, "sh"];
    const possible = spawnSync(prefix[0]!, [...prefix.slice(1), "true"], { encoding: "utf8" });
    if (possible.status !== 0 || possible.stderr !== "") return;
    const told = tell(prefix);
    expect(told).toMatchObject({
      kind: "none",
      reason: "unshare: unshare failed: No space left on device",
      isolated: { reached: { recorder: "recorder 127.0.0.1", "another server": "outside" } },
    });
    expect(told.milliseconds).toBeLessThan(9_000);
  });
});

describe.runIf(linux)("nothing is left", () => {
  const ends: [name: string, mode: string, act: (gate: ChildProcess) => void, status: unknown[]][] = [
    ["at SIGTERM", "hold", (gate) => gate.kill("SIGTERM"), [143, null]],
    ["at the gate's exit", "exit", () => {}, [0, null]],
  ];
  test.each(ends)(
    "%s, of a command that ignores SIGTERM and its daemon",
    async (_name, mode, act, status) => {
      const gate = start(mode);
      const ended = once(gate, "exit");
      await once(gate.stdout!, "data");
      act(gate);
      expect(await ended).toEqual(status);
      await expect.poll(() => held(), { timeout: 20_000 }).toEqual([]);
    },
  );

  test("at the gate's SIGKILL, of the namespace's process", async () => {
    const gate = start("hold");
    await once(gate.stdout!, "data");
    const holders = childrenOf(gate.pid!).filter((pid) => commandLine(pid).includes("\0-e\0"));
    gate.kill("SIGKILL");
    await expect.poll(() => holders.filter(runs), { timeout: 20_000 }).toEqual([]);
    for (const pid of held()) process.kill(pid, "SIGKILL");
    if (root) expect(holders).toHaveLength(1);
  });

  test("as the first process of a container, which must not wait for zombies", () => {
    const container = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    if (spawnSync("unshare", [...container, "true"]).status !== 0) return;
    const { stdout } = spawnSync("unshare", [...container, process.execPath, program, "orphan"], {
      encoding: "utf8",
      env: { PATH: process.env.PATH },
    });
    const told = JSON.parse(stdout) as { zombies: number; milliseconds: number };
    expect(told.zombies).toBe(1);
    expect(told.milliseconds).toBeLessThan(graceMs);
  });

  test("a namespace does not keep the gate alive", async () => {
    const gate = start("idle");
    const ended = once(gate, "exit");
    expect(await Promise.race([ended, sleep(30_000)])).toEqual([0, null]);
  });
});

function start(mode: string): ChildProcess {
  const env = { PATH: process.env.PATH };
  return spawn(process.execPath, [program, mode], { env, stdio: ["ignore", "pipe", "inherit"] });
}

/** What reach-program's `hold` runs: known by its odd number of seconds. */
function held(): number[] {
  return processIds().filter((pid) => runs(pid) && /sleep[ \0]301/.test(commandLine(pid)));
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function runs(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
