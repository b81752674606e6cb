import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ForkServer } from "../../src/executors/fork-server";
import { openReach } from "../../src/executors/isolation";
import { type Command, runCommand } from "../../src/executors/local";
import { launcherStart, pythonStart } from "../../src/executors/python-start";
import { pythonBin } from "../support/project";
import { Random } from "../support/random";
import { until } from "../support/until";

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
        "main": {name: re.sub(r" at 0x\\w+", "", repr(value)) for name, value in vars(__main__).items() if name in ("__name__", "__file__", "__package__", "__spec__")},
        "stdin": sys.stdin.read(), "leads": os.getpid() == os.getpgid(0) == os.getsid(0), "tty": sys.stdout.isatty(),
        "encoding": sys.stdout.encoding, "unbuffered": sys.stdout.write_through, "flags": repr(sys.flags),
        "orig": [word for word in sys.orig_argv[1:]],
        "handlers": [repr(signal.getsignal(each)) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE)],
        "files": sorted(os.listdir("/proc/self/fd")), "again": subprocess.run(["true"]).returncode,
    }, sys.stdout)

def locale():
    import locale
    print(locale.setlocale(locale.LC_CTYPE, ""), sys.getfilesystemencoding())

def once(file, name):
    with open(file, "a") as lines:
        print(name, file=lines)

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
  for (const name of ["modules/package", "elsewhere", "project", "shadow", "prints", "plugin/it-1.dist-info"])
    await mkdir(join(folder, name), { recursive: true });
  await write("modules/tool.py", tool);
  await write("modules/loaded.py", "import os\npid = os.getpid()\n");
  await write(
    "modules/threaded.py",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(300,), daemon=True).start()\n",
  );
  await write("modules/broken.py", "raise RuntimeError('not on import')\n");
  await write("modules/half.py", "import loaded\nimport no_such_module\n");
  await write("modules/says.py", "print('a notice')\n");
  await write("modules/package/__init__.py", "");
  await write("modules/package/cli.py", "");
  await write("modules/package/__main__.py", "from tool import main\nmain()\n");
  await write("project/own.py", "");
  await write("shadow/signal.py", "raise RuntimeError('the project has a module of that name')\n");
  await write("prints/sitecustomize.py", "import os\nprint('as it begins', os.environ.get('WHERE'))\n");
  await write("plugin/it-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: it\nVersion: 1\n");
  await write("plugin/it-1.dist-info/entry_points.txt", "[alembic.plugins]\nit = own\n");
  await write("tool", entryPoint(`#!${python}`), 0o755);
  await write("other", entryPoint(`#!${python} -B`), 0o755);
  await write("gone", entryPoint(`#!/bin/sh\n'''exec' "/there/is/no/python" "$0" "$@"\n' '''`), 0o755);
  env = { PATH: process.env.PATH ?? "", PYTHONPATH: join(folder, "modules"), LANG: "C.UTF-8" };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The address and the like, in which starts differ. */
const varying = new Set(["my.dotted-name", "MULTI", "HOME", "LEFT", "WHERE", "A=B"]);

interface Beginning {
  readonly modules?: readonly string[];
  readonly file?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

function begin({ modules = ["loaded"], file = join(folder, "tool"), args = [], ...more }: Beginning = {}) {
  const first = { file, args, cwd: more.cwd ?? join(folder, "project"), env: more.env ?? env };
  return ForkServer.begin({ first, modules: [...modules, "tool"], varying, isolation });
}

function run(forkServer: ForkServer | undefined, argv: readonly string[], more: Partial<Command> = {}) {
  const cwd = join(folder, "project");
  return runCommand({
    argv: [join(folder, "tool"), ...argv],
    cwd,
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
    const of = (...words: string[]) => ({ argv: [python, "-m", "package", ...words] });
    await using server = await begin({
      modules: ["loaded", "package.cli"],
      file: python,
      args: ["-m", "package"],
    });
    expect((await run(server, [], of("forked"))).output).toBe("forked\n");
    for (const words of [["tell", "x"], ["fail"]]) {
      const forked = await run(server, [], of(...words));
      const plain = await run(undefined, [], of(...words));
      expect({ ...forked, milliseconds: 0 }).toEqual({ ...plain, milliseconds: 0 });
    }
  });

  test("the locale that Python chooses by itself", async () => {
    const bare = { PATH: env.PATH ?? "", PYTHONPATH: env.PYTHONPATH ?? "" };
    await using server = await begin({ env: bare });
    expect((await run(server, ["forked"], { env: bare })).output).toBe("forked\n");
    for (const words of [["tell"], ["locale"]]) {
      const forked = await run(server, words, { env: bare });
      expect(forked.output).toBe((await run(undefined, words, { env: bare })).output);
    }
  });

  test("chance is not the same for all", async () => {
    await using server = await begin({ modules: ["loaded", "random"] });
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
    const slow = await run(server, ["wait"], { timeoutMs: 5_000 });
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
    ["a module fails for want of another", ["loaded", "half"], {}],
    ["a module prints", ["loaded", "says"], {}],
    ["the project's own folder comes first", ["loaded", "own"], { env: { PYTHONPATH: "project" } }],
    ["Alembic has a plugin", ["loaded"], { env: { PYTHONPATH: "plugin" } }],
    ["another variable differs", ["loaded"], { env: { PYTHONHASHSEED: "1" } }],
    ["another interpreter's options", ["loaded"], { argv: ["../other", "forked"] }],
    ["a name that no variable has", ["loaded"], { env: { "A=B": "1" } }],
  ])("is one of its own where %s", async (_why, modules, more) => {
    const { PYTHONPATH: place, ...others } = more.env ?? {};
    const places = place === undefined ? {} : { PYTHONPATH: `${env.PYTHONPATH}:${join(folder, place)}` };
    const all = { ...env, ...places };
    await using server = await begin({ modules, env: all });
    const words = { ...more, env: { ...all, ...others } };
    expect(await run(server, ["forked"], words)).toMatchObject({ exitCode: 0, output: "plain\n" });
  });

  test("a module of the project's folder that has a library's name is not loaded for it", async () => {
    const cwd = join(folder, "shadow");
    await using server = await begin({ cwd });
    expect((await run(server, ["forked"], { cwd })).output).toBe("forked\n");
  });

  test("uv run: in the environment that uv makes, and that environment's variables", async () => {
    const cwd = join(folder, "with uv");
    await mkdir(cwd);
    await writeFile(join(cwd, "pyproject.toml"), '[project]\nname = "it"\nversion = "1"\n');
    await runCommand({
      argv: [python, "-m", "venv", "--without-pip", ".venv"],
      cwd,
      env,
      timeoutMs: 60_000,
      isolation,
    });
    const script = join(cwd, ".venv", "bin", "tool");
    // As uv writes it where the path has a space.
    const start = `#!/bin/sh\n'''exec' "${join(cwd, ".venv", "bin", "python3")}" "$0" "$@"\n' '''`;
    await writeFile(script, entryPoint(start));
    await chmod(script, 0o755);
    const all = { ...env, UV_OFFLINE: "1", UV_NO_SYNC: "1", HOME: folder, PWD: cwd };
    const uv = join(pythonBin(), "uv");
    await using server = await begin({ file: uv, args: ["run", "tool"], cwd, env: all });
    const of = (...words: string[]) => ({
      argv: [uv, "run", "tool", ...words],
      cwd,
      env: { ...all, WHERE: "here" },
    });
    expect((await run(server, [], of("forked"))).output).toBe("forked\n");
    const [forked, plain] = [
      await run(server, [], of("tell", "x")),
      await run(undefined, [], of("tell", "x")),
    ];
    const told = ({ output }: { output: string }) => {
      // uv leads the session of a start of its own, and its own descriptors are told to the child.
      const { leads, orig, files, ...rest } = JSON.parse(output) as Record<string, unknown>;
      return rest;
    };
    expect(told(forked)).toEqual(told(plain));
    expect(JSON.stringify(told(forked))).toContain('"VIRTUAL_ENV"');
    const elsewhere = { ...of("forked"), cwd: join(folder, "project") };
    await expect(run(server, [], elsewhere)).resolves.not.toMatchObject({ output: "forked\n" });
  });

  test("what begins with every interpreter begins with each", async () => {
    const all = { ...env, PYTHONPATH: `${join(folder, "prints")}:${env.PYTHONPATH}` };
    await using server = await begin({ env: all });
    const { output } = await run(server, ["forked"], { env: { ...all, WHERE: "here" } });
    expect(output).toBe("as it begins here\nplain\n");
  });

  test("a module that is not installed is left out", async () => {
    await using server = await begin({ modules: ["no_such_module", "no_such.part", "loaded"] });
    expect((await run(server, ["forked"])).output).toBe("forked\n");
  });

  test("an interpreter that is not there harms nobody", async () => {
    const server = await begin({ file: join(folder, "gone") });
    expect(server).not.toBe(undefined);
    expect(server?.pid).toBe(undefined);
    await expect(run(server, [], { argv: ["../gone", "forked"] })).resolves.toMatchObject({ exitCode: 127 });
    await server?.[Symbol.asyncDispose]();
  });

  test("whenever the server is killed, a start runs once or not at all", async () => {
    const file = join(folder, "runs");
    const random = new Random(Number(process.env.TEST_SEED || Date.now()));
    const names = Array.from({ length: 12 }, (_, index) => `start ${index}`);
    for (const name of names) {
      await using server = await begin();
      await run(server, ["forked"]);
      const ended = run(server, ["once", file, name]);
      await sleep(random.next() * 20);
      process.kill(server!.pid!, "SIGKILL");
      await ended;
    }
    await sleep(300);
    const lines = (await readFile(file, "utf8")).trim().split("\n");
    expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([]);
    expect(lines.length).toBeGreaterThan(0);
  });

  test("a server that is stopped does not hold up the end of a start", async () => {
    await using server = await begin();
    const lines: string[] = [];
    const limit = new AbortController();
    const slow = run(server, ["wait"], { abort: limit.signal, onLine: (line) => lines.push(line) });
    await until(() => lines.length > 0, "the start");
    process.kill(server!.pid!, "SIGSTOP");
    limit.abort();
    expect(await slow).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    process.kill(server!.pid!, "SIGCONT");
  });

  test("a server that is gone, and one that goes while its start runs", async () => {
    await using server = await begin();
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    const waiting = run(server, ["wait"], { onLine });
    const first = run(server, ["wait"], { onLine });
    // One that does not run yet would be started the ordinary way.
    await until(() => lines.length === 2, "both starts");
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
  const starts = async (
    text: string,
    args: readonly string[] = [],
    path = "/usr/bin:/bin",
    anyProgram = false,
  ) => {
    const file = join(folder, "tried");
    await writeFile(file, text);
    return pythonStart(file, args, { cwd: folder, path, modules: ["alembic.config", "tool"], anyProgram });
  };

  test.each([
    ["pip", entryPoint(`#!${python}`)],
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
    ["a program of the project's own", entryPoint(`#!${python}`, "from app.cli import cli as main")],
  ])("not %s", async (_name, text) => {
    expect(await starts(text)).toBe(undefined);
  });

  test("a program of the project's own where any may be, if a console script is all of it", async () => {
    const own = entryPoint(`#!${python}`, "from app.cli import cli as main");
    const tried = { interpreter: [python], firstPlace: folder, runs: { script: join(folder, "tried") } };
    expect(await starts(own, ["up"], "", true)).toEqual({ ...tried, args: ["up"] });
    for (const text of [
      entryPoint(`#!${python}`, "from gevent import monkey\nmonkey.patch_all()\nfrom app.cli import main"),
      `#!/bin/sh\nexec "${python}" -m app "$@"\n`,
      "",
    ])
      expect(await starts(text, [], "", true)).toBe(undefined);
    const options = { cwd: folder, path: "", modules: [], anyProgram: true };
    expect(pythonStart(python, ["-m", "app.cli", "up"], options)).toEqual({
      ...tried,
      runs: { module: "app.cli" },
      args: ["up"],
    });
    // The last would be loaded before it is run.
    for (const args of [["-m", "-x"], ["-m"], ["app.py"], ["-c", "pass"], ["-m", "alembic.config"]])
      expect(pythonStart(python, args, { ...options, modules: ["alembic.config"] })).toBe(undefined);
  });

  test("python itself with a module only", () => {
    const of = (...args: string[]) =>
      pythonStart(python, args, { cwd: folder, path: "", modules: ["alembic.config"] });
    expect(of("-m", "alembic", "current")).toEqual({
      interpreter: [python],
      firstPlace: folder,
      runs: { module: "alembic" },
      args: ["current"],
    });
    for (const args of [
      [],
      ["x.py"],
      ["-m"],
      ["-m", "-x"],
      ["-c", "pass"],
      ["-Bm", "alembic"],
      ["-m", "gevent.monkey"],
    ])
      expect(of(...args)).toBe(undefined);
  });

  test("env's interpreter, where every folder of PATH says where it is", async () => {
    const text = entryPoint("#!/usr/bin/env python3");
    const bin = pythonBin();
    expect((await starts(text, [], `/nowhere:${bin}:/usr/bin`))?.interpreter).toEqual([join(bin, "python3")]);
    for (const path of [`.venv/bin:${bin}`, "", "/nowhere"])
      expect(await starts(text, [], path)).toBe(undefined);
  });

  test("a launcher's program", () => {
    expect(launcherStart("/a/uv", ["run", "alembic", "upgrade", "head"])).toEqual({
      launcher: ["/a/uv", "run"],
      program: "alembic",
      args: ["upgrade", "head"],
    });
    const others = [
      ["/a/uv", "sync"],
      ["/a/uv", "run", "--frozen", "alembic"],
      ["/a/uvx", "run", "alembic"],
      ["/a/uv", "run", "../x"],
    ];
    for (const [file = "", ...words] of others) expect(launcherStart(file, words)).toBe(undefined);
  });
});
