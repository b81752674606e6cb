import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { UserError } from "../../src/errors";
import { graceMs, terminateAll } from "../../src/executors/families";
import { openReach } from "../../src/executors/isolation";
import { type Command, runCommand } from "../../src/executors/local";
import { keptOutputBytes } from "../../src/executors/output";
import { until } from "../support/until";

const isolation = openReach("a test");
const env = { PATH: process.env.PATH ?? "" };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "executors test "));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(argv: string[], more: Partial<Command> = {}) {
  return runCommand({ argv, cwd: folder, env, timeoutMs: 60_000, isolation, ...more });
}

/** The process ids that a script printed as `pid <n>` of those that still run; a zombie, which none waited for, does not. */
function living(output: string): string[] {
  const ids = [...output.matchAll(/pid (\d+)/g)].map((match) => match[1]!);
  return ids.filter((id) =>
    /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", id], { encoding: "utf8" }).stdout),
  );
}

describe("what a command did", () => {
  test.each<[name: string, script: string, result: object]>([
    ["exit code", "exit 7", { exitCode: 7, signal: null, output: "" }],
    ["a signal", "kill -KILL $$", { exitCode: null, signal: "SIGKILL", output: "" }],
    [
      "both streams in the order written",
      "for i in 1 2 3; do echo out$i; echo err$i >&2; done",
      { exitCode: 0, output: "out1\nerr1\nout2\nerr2\nout3\nerr3\n" },
    ],
    ["nothing to read", "cat; echo end", { exitCode: 0, output: "end\n" }],
    ["invalid UTF-8", "printf 'a\\377b'", { output: "a\ufffdb" }],
    [
      "colours and a runner's command",
      "printf '\\033[31mred\\033[0m\\n::set-output name=x::y\\n'",
      {
        output: "red\n: :set-output name=x::y\n",
      },
    ],
    ["closes its output and lives on", "exec >&- 2>&-; sleep 0.5; exit 3", { exitCode: 3, output: "" }],
    ["folder", 'basename "$PWD" | cut -c1-14', { output: "executors test\n" }],
  ])("%s", async (_name, script, result) => {
    expect(await run(["bash", "-c", script])).toMatchObject({ timedOut: false, ...result });
  });

  test("arguments arrive as they are", async () => {
    const words = ["a b", "c\nd", "'\"`", "$HOME", "$(id)", "*", "", "ü", "--", ";exit 1"];
    const { output } = await run([
      process.execPath,
      "-p",
      "JSON.stringify(process.argv.slice(1))",
      "--",
      ...words,
    ]);
    expect(JSON.parse(output)).toEqual(words);
  });

  test("the environment is the one given, any name, and the marker", async () => {
    const given = { ...env, "my.dotted-name": "1", MULTI: "a\nb" };
    const { output } = await run([process.execPath, "-p", "JSON.stringify(process.env)"], { env: given });
    expect(JSON.parse(output)).toEqual({
      ...given,
      MIGRATION_GATE_RUN: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("lines are told as they come", async () => {
    const lines: string[] = [];
    const go = join(folder, "go");
    const { timedOut } = await run(
      ["bash", "-c", 'echo one; until [ -e "$0" ]; do sleep 0.05; done; echo two >&2', go],
      {
        onLine: (line) => {
          lines.push(line);
          writeFileSync(go, "");
        },
      },
    );
    expect([lines, timedOut]).toEqual([["one", "two"], false]);
  });

  test("100 MB of output keep their end and no memory", async () => {
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 5);
    const { output, outputCut } = await run([
      "bash",
      "-c",
      "yes 0123456789 | head -c 104857600; echo; echo last",
    ]);
    clearInterval(watch);
    expect(outputCut).toBe(true);
    expect(output.endsWith("\nlast\n")).toBe(true);
    expect(output.length).toBeLessThanOrEqual(keptOutputBytes);
    expect(output.length).toBeGreaterThan(keptOutputBytes - 100);
    expect((peak - before) / 2 ** 20).toBeLessThan(60);
  });
});

describe("nothing is left running", () => {
  const daemon = "(setsid sleep 300 >/dev/null 2>&1 & echo pid $!)";
  const stubborn = "trap '' TERM; echo pid $$; while :; do sleep 0.05; done";

  test.each<[name: string, script: string, timeoutMs: number, result: object, slow: boolean]>([
    ["at the time limit", "echo pid $$; sleep 300", 3_000, { signal: "SIGTERM", timedOut: true }, false],
    [
      "a tool that cleans up",
      "trap 'echo bye; exit 5' TERM; echo pid $$; sleep 300 & wait",
      3_000,
      { exitCode: 5, timedOut: true },
      false,
    ],
    ["a tool that ignores SIGTERM", stubborn, 3_000, { signal: "SIGKILL", timedOut: true }, true],
    [
      "a child that ignores SIGTERM",
      `(bash -c "${stubborn.replace("$$", "\\$\\$")}" &) ; sleep 300`,
      3_000,
      { timedOut: true },
      true,
    ],
    [
      "a background child after the end",
      "sleep 300 & echo pid $!",
      60_000,
      { exitCode: 0, timedOut: false },
      false,
    ],
    [
      "a daemon with a session of its own, after the end",
      daemon,
      60_000,
      { exitCode: 0, timedOut: false },
      false,
    ],
    ["a daemon, at the time limit", `${daemon}; sleep 300`, 3_000, { timedOut: true }, false],
  ])("%s", async (_name, script, timeoutMs, result, slow) => {
    const start = performance.now();
    const done = await run(["bash", "-c", script], { timeoutMs });
    const took = performance.now() - start;
    expect(done).toMatchObject(result);
    expect(done.output).toMatch(/pid \d+/);
    expect(living(done.output)).toEqual([]);
    const after = done.timedOut ? took - timeoutMs : took;
    if (slow) expect(after).toBeGreaterThan(graceMs);
    else expect(after).toBeLessThan(graceMs);
  });

  test("terminateAll ends every command", async () => {
    let started = 0;
    const onLine = () => {
      started += 1;
    };
    const runs = [
      run(["bash", "-c", "echo pid $$; sleep 300"], { onLine }),
      run(["bash", "-c", `${daemon}; sleep 300`], { onLine }),
    ];
    await until(() => started === 2, "both commands");
    await terminateAll();
    for (const done of await Promise.all(runs)) {
      expect(done).toMatchObject({ signal: "SIGTERM", timedOut: false });
      expect(living(done.output)).toEqual([]);
    }
  });

  test("no files and no descriptors", async () => {
    if (process.platform !== "linux") return;
    // Other tests run commands at the same time: a temporary folder of its own.
    const own = join(folder, "tmp");
    await mkdir(own);
    vi.stubEnv("TMPDIR", own);
    await run(["true"]);
    const descriptors = async () => (await readdir("/proc/self/fd")).length;
    const before = await descriptors();
    for (let count = 0; count < 20; count++) await run(["true"]);
    await expect.poll(async () => (await descriptors()) <= before, { timeout: 10_000 }).toBe(true);
    expect(await readdir(own)).toEqual([]);
    vi.unstubAllEnvs();
  });
});

describe("a command that cannot start", () => {
  beforeAll(async () => {
    await mkdir(join(folder, ".venv/bin"), { recursive: true });
    await writeFile(join(folder, ".venv/bin/only-here"), "#!/bin/sh\n", { mode: 0o755 });
    await writeFile(join(folder, "plain.py"), "x");
    await writeFile(join(folder, "moved"), "#!/gone/bin/python3 -u\n", { mode: 0o755 });
  });

  test.each<[name: string, argv: string[], more: Partial<Command>, what: string, doText: RegExp]>([
    [
      "not installed",
      ["no-such-tool", "up"],
      {},
      'The command "no-such-tool" was not found.',
      /pip install -r/,
    ],
    [
      "in the project's virtual environment",
      ["only-here"],
      {},
      'The command "only-here" was not found.',
      /^Set run: \.venv\/bin\/only-here,/,
    ],
    ["a path that is not there", ["bin/tool"], {}, 'The command "bin/tool" was not found.', /Install/],
    ["a folder", ["./.venv"], {}, 'The command "./.venv" was not found.', /Install/],
    ["not executable", ["./plain.py"], {}, 'The command "./plain.py" is not executable.', /chmod \+x/],
    [
      "an interpreter that is gone",
      ["./moved"],
      {},
      'The command "./moved" cannot start: its interpreter "/gone/bin/python3" does not exist.',
      /virtual environment again/,
    ],
    ["an empty PATH", ["bash"], { env: {} }, 'The command "bash" was not found.', /Install/],
    [
      "too many arguments",
      ["true", "x".repeat(3_000_000)],
      {},
      'The command "true" could not be started.',
      /terminal/,
    ],
    [
      "a folder that is not there",
      ["true"],
      { cwd: "/no/such" },
      'The folder "/no/such" in which the migration tool is to run does not exist.',
      /Set project/,
    ],
  ])("%s", async (_name, argv, more, what, doText) => {
    const error = await run(argv, more).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const { parts } = error as UserError;
    expect(parts.what).toBe(what);
    expect(parts.do).toMatch(doText);
  });

  test("a relative path, and PATH relative to the folder", async () => {
    await writeFile(join(folder, "tool"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
    expect(await run(["./tool"])).toMatchObject({ output: "ran\n" });
    expect(await run(["only-here"], { env: { PATH: ".venv/bin" } })).toMatchObject({ exitCode: 0 });
  });
});
