import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ForkServer } from "../../src/executors/fork-server";
import { openReach } from "../../src/executors/isolation";
import { type Command, runCommand } from "../../src/executors/local";
import { pythonStart } from "../../src/executors/python-start";
import { pythonBin } from "../support/project";

const isolation = openReach("a test");
const python = join(pythonBin(), "python");

/** What pip writes; `shebang` and the import differ. */
const entryPoint = (shebang: string, from = "from tool import main") => `${shebang}
# -*- coding: utf-8 -*-
import re
import sys
${from}
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main())
`;

/** Code that a tool runs, by its first argument. */
const tool = `
import atexit, json, os, re, signal, subprocess, sys, threading, time

def main():
    globals()[sys.argv[1]](*sys.argv[2:])

def tell(*_):
    import __main__, loaded, random
    json.dump({
        "argv": sys.argv, "cwd": os.getcwd(), "path": sys.path,
        "env": {name: value for name, value in os.environ.items() if name != "MIGRATION_GATE_RUN"},
        "main": {name: re.sub(" at 0x\\w+", "", repr(value)) for name, value in vars(__main__).items() if name in ("__name__", "__file__", "__package__", "__spec__")},
        "stdin": sys.stdin.read(), "leads": os.getpid() == os.getpgid(0) == os.getsid(0), "tty": sys.stdout.isatty(),
        "encoding": sys.stdout.encoding, "unbuffered": sys.stdout.write_through, "flags": repr(sys.flags),
        "handlers": [repr(signal.getsignal(each)) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE)],
        "files": sorted(os.listdir("/proc/self/fd")), "again": subprocess.run(["true"]).returncode,
    }, sys.stdout)

def forked(*_):
    import loaded
    print("forked" if loaded.pid != os.getpid() else "plain")

def draw():
    import random
    print(random.random(), os.urandom(4).hex())

def both():
    for each in range(3):
        print("out", each, flush=True)
        print("err", each, file=sys.stderr, flush=True)

def leave(code):
    atexit.register(print, "at exit")
    sys.exit(eval(code))

def fail():
    try:
        int("x")
    except ValueError as error:
        raise RuntimeError("a migration's own") from error

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def abandon():
    subprocess.Popen(["sleep", "300"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print("left one")

def wait(seconds="300"):
    print("waits", flush=True)
    time.sleep(float(seconds))
`;

let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fork server "));
  const write = async (name: string, text: string, mode = 0o644) => {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), mode);
  };
  await mkdir(join(folder, "modules"));
  await mkdir(join(folder, "elsewhere"));
  await write("modules/tool.py", tool);
  await write("modules/loaded.py", "import os\npid = os.getpid()\n");
  await write(
    "modules/threaded.py",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(300,), daemon=True).start()\n",
  );
  await write("modules/broken.py", "raise RuntimeError('not on import')\n");
  await write("modules/__main__.py", "");
  await write("modules/runs.py", "from tool import main\nmain()\n");
  await write("tool", entryPoint(`#!${python}`), 0o755);
  await write("other", entryPoint(`#!${python} -B`), 0o755);
  env = { PATH: process.env.PATH ?? "", PYTHONPATH: join(folder, "modules"), LANG: "C.UTF-8" };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function begin(
  modules: readonly string[] = ["loaded"],
  args: readonly string[] = [],
  file = join(folder, "tool"),
) {
  return ForkServer.begin({ file, args, cwd: folder, env }, modules, isolation);
}

function run(forkServer: ForkServer | undefined, argv: readonly string[], more: Partial<Command> = {}) {
  return runCommand({
    argv: [join(folder, "tool"), ...argv],
    cwd: folder,
    env,
    timeoutMs: 60_000,
    isolation,
    forkServer,
    ...more,
  });
}

describe.runIf(process.platform === "linux")("a start from the fork server", () => {
  test.each([
    [["tell", "a b", "c\nd", "'\"`", "$HOME", "*", "", "ü", "--", "\u{1f600}"]],
    [["both"]],
    [["leave", "0"]],
    [["leave", "None"]],
    [["leave", "7"]],
    [["leave", "'a word'"]],
    [["fail"]],
    [["die"]],
    [["no-such-name"]],
  ])("does what one of its own does: %j", async (argv) => {
    await using server = await begin();
    const more = {
      cwd: join(folder, "elsewhere"),
      env: { ...env, "my.dotted-name": "1", MULTI: "a\nb", HOME: "/ü" },
    };
    const forked = await run(server, argv, more);
    const plain = await run(undefined, argv, more);
    expect({ ...forked, milliseconds: 0 }).toEqual({ ...plain, milliseconds: 0 });
    expect(plain.output).not.toBe(argv[0] === "die" ? "never" : "");
    expect((await run(server, ["forked"], more)).output).toBe("forked\n");
  });

  test("python -m", async () => {
    await using server = await begin(["loaded"], ["-m", "runs"], python);
    const more = { argv: [python, "-m", "runs", "forked"] };
    expect((await run(server, [], more)).output).toBe("forked\n");
    for (const words of [["tell", "x"], ["fail"]]) {
      const argv = [python, "-m", "runs", ...words];
      const [forked, plain] = [await run(server, [], { argv }), await run(undefined, [], { argv })];
      expect({ ...forked, milliseconds: 0 }).toEqual({ ...plain, milliseconds: 0 });
    }
  });

  test("chance is not the same for all", async () => {
    await using server = await begin(["loaded", "random"]);
    const drawn = [await run(server, ["draw"]), await run(server, ["draw"])].map(({ output }) =>
      output.split(" "),
    );
    expect(drawn[0]![0]).not.toBe(drawn[1]![0]);
    expect(drawn[0]![1]).not.toBe(drawn[1]![1]);
  });

  test("several at once, and one after the other without end", async () => {
    await using server = await begin();
    const at = Array.from({ length: 10 }, (_, index) => run(server, ["leave", String(index)]));
    expect((await Promise.all(at)).map(({ exitCode }) => exitCode)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const before = JSON.parse((await run(server, ["tell"])).output) as { files: string[] };
    for (let round = 0; round < 20; round++) await run(server, ["forked"]);
    const after = JSON.parse((await run(server, ["tell"])).output) as { files: string[] };
    expect(after.files).toEqual(before.files);
  });

  test("ends at its time limit, with all that it left", async () => {
    await using server = await begin();
    const slow = await run(server, ["wait"], { timeoutMs: 1_000 });
    expect(slow).toMatchObject({ timedOut: true, signal: "SIGTERM", output: "waits\n" });
    const pids: string[] = [];
    await run(server, ["abandon"], { env: { ...env, LEFT: folder } });
    for (const line of (
      await runCommand({
        argv: ["ps", "-eo", "pid,args,environ"],
        cwd: folder,
        env,
        timeoutMs: 9_000,
        isolation,
      })
    ).output.split("\n"))
      if (line.includes("sleep 300") && line.includes(`LEFT=${folder}`)) pids.push(line);
    expect(pids).toEqual([]);
    expect((await run(server, ["forked"])).output).toBe("forked\n");
  });

  test.each<[why: string, modules: string[], more: Partial<Command>]>([
    ["a module starts a thread", ["loaded", "threaded"], {}],
    ["a module fails", ["loaded", "broken"], {}],
    ["the interpreter would hash otherwise", ["loaded"], { env: { PYTHONHASHSEED: "1" } }],
    ["another interpreter's options", ["loaded"], { argv: ["./other", "forked"] }],
  ])("is one of its own where %s", async (_why, modules, more) => {
    await using server = await begin(modules);
    const words = { ...more, env: { ...env, ...more.env } };
    expect(await run(server, ["forked"], words)).toMatchObject({ exitCode: 0, output: "plain\n" });
  });

  test("a module that is not installed is left out", async () => {
    await using server = await begin(["no_such_module", "loaded"]);
    expect((await run(server, ["forked"])).output).toBe("forked\n");
  });

  test("a server that is gone, and one that goes while its start runs", async () => {
    await using server = await begin();
    const waiting = run(server, ["wait"]);
    const lines: string[] = [];
    const first = run(server, ["wait", "0.2"], { onLine: (line) => lines.push(line) });
    while (lines.length === 0) await sleep(10);
    process.kill(server!.pid!, "SIGKILL");
    // Nobody can tell how it ended: not well, and it runs no more.
    expect(await first).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    expect(await waiting).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    expect((await run(server, ["forked"])).output).toBe("plain\n");
  });

  test("ends with its owner", async () => {
    const server = await begin();
    const { pid } = server!;
    expect((await run(server, ["forked"])).output).toBe("forked\n");
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await server![Symbol.asyncDispose]();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

describe("what can be forked", () => {
  const starts = async (text: string, args: readonly string[] = []) => {
    const file = join(folder, "tried");
    await writeFile(file, text);
    return pythonStart(file, args, folder, env["PATH"]);
  };

  test.each([
    ["pip", entryPoint(`#!${python}`)],
    ["another function of an object", entryPoint(`#!${python}`, "from app.cli import cli as main")],
    [
      "uv",
      `#!${python}\n# -*- coding: utf-8 -*-\nimport sys\nfrom alembic.config import main\nif __name__ == "__main__":\n    if sys.argv[0].endswith("-script.pyw"):\n        sys.argv[0] = sys.argv[0][:-11]\n    elif sys.argv[0].endswith(".exe"):\n        sys.argv[0] = sys.argv[0][:-4]\n    sys.exit(main())\n`,
    ],
    [
      "a path that the kernel does not take",
      `#!/bin/sh\n'''exec' "${python}" "$0" "$@"\n' '''\n# -*- coding: utf-8 -*-\nimport sys\nfrom alembic.config import main\nif __name__ == '__main__':\n    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(main())\n`,
    ],
  ])("a script of %s", async (_name, text) => {
    expect(await starts(text, ["upgrade", "head"])).toEqual({
      interpreter: [python],
      firstPlace: folder,
      runs: { script: join(folder, "tried") },
      args: ["upgrade", "head"],
    });
  });

  test.each([
    [
      "code of its own",
      entryPoint(`#!${python}`, "from gevent import monkey\nmonkey.patch_all()\nfrom tool import main"),
    ],
    ["two interpreter options", entryPoint(`#!${python} -B -E`)],
    ["another language", entryPoint("#!/usr/bin/env ruby")],
    ["a shell script", `#!/bin/sh\nexec "${python}" -m alembic "$@"\n`],
    ["another shell's exec", entryPoint(`#!/bin/sh\n'''exec' "$HOME/python" "$0" "$@"\n' '''`)],
    ["a long text", `${entryPoint(`#!${python}`)}${"\n".repeat(5000)}`],
    ["nothing", ""],
    ["no import", `#!${python}\nimport sys\n`],
  ])("not %s", async (_name, text) => {
    expect(await starts(text)).toBe(undefined);
  });

  test("python itself with a module only", () => {
    const of = (...args: string[]) => pythonStart(python, args, folder, env["PATH"]);
    expect(of("-m", "alembic", "current")).toEqual({
      interpreter: [python],
      firstPlace: folder,
      runs: { module: "alembic" },
      args: ["current"],
    });
    for (const args of [[], ["x.py"], ["-m"], ["-m", "-x"], ["-c", "pass"], ["-Bm", "alembic"]])
      expect(of(...args)).toBe(undefined);
  });
});
