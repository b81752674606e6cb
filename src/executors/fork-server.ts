import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type net from "node:net";
import { constants } from "node:os";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { graceMs, isEnding, watchOver } from "./families";
import { forkServerProgram } from "./fork-server-program";
import type { Isolation } from "./isolation";
import { openOutputPlace } from "./output-pipe";
import { endFamily, markerName } from "./processes";
import { type LauncherStart, launcherStart, type PythonStart, pythonStart } from "./python-start";

/** A process that runs, however it was started. */
export interface StartedProcess {
  /** Of the process, and of its group. */
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** Its stdout and stderr. */
  readonly output: net.Socket;
  /** Has `ended` resolve, where nobody may be there any more to tell; the process was killed. */
  giveUp?(): void;
}

export type Ending = readonly [exitCode: number | null, signal: NodeJS.Signals | null];

export interface ToStart {
  /** Absolute. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ForkServerOptions {
  /** What every start has: the program, its first words, and the variables that are the same for all. */
  readonly first: ToStart;
  /** The tool's modules; those that are not installed are left out. */
  readonly modules: readonly string[];
  /** Also a console script or `python -m` whose program is in none of them. */
  readonly anyProgram?: boolean | undefined;
  /** Variables in which starts may differ. */
  readonly varying: ReadonlySet<string>;
  readonly isolation: Isolation;
}

/** As the program answers; see fork-server-program.ts. */
interface Answer {
  readonly ready?: boolean;
  readonly executable?: string;
  readonly script?: string | null;
  readonly id?: string;
  readonly pid?: number;
  readonly code?: number;
  readonly signal?: number;
}

/** How long loading the modules, and one fork, may take before the tool is started the ordinary way. */
const patienceMs = 20_000;

/**
 * Starts of one Python program without the time that its interpreter and libraries take to load: they are loaded once,
 * and every start is a fork of that process. Python's multiprocessing calls it a fork server. A start for which it does
 * not do, for whatever reason, is undefined: the program is then started the ordinary way.
 */
export class ForkServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #marker = randomUUID();
  /** How each start is forked; undefined where none can be. */
  readonly #ready: Promise<PythonStart | undefined>;
  readonly #gone: Promise<void>;
  readonly #forget: () => void;
  #isGone = false;
  /** By the id of the request. */
  readonly #forks = new Map<string, Fork>();

  private constructor(
    private readonly options: ForkServerOptions,
    private readonly start: PythonStart | LauncherStart,
  ) {
    const { first, modules, isolation } = options;
    const interpreter = "launcher" in start ? [...start.launcher, "python"] : start.interpreter;
    const place = "launcher" in start ? `find:${start.program}` : start.firstPlace;
    const argument = JSON.stringify({ modules, root: first.cwd });
    const words = [...interpreter, "-c", forkServerProgram, place, argument];
    const [program, ...args] = isolation.wrap(words, first.cwd) as [string, ...string[]];
    const child = spawn(program, args, {
      cwd: first.cwd,
      env: { ...first.env, [markerName]: this.#marker },
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of child.stdio) stream?.on("error", () => undefined);
    this.#forget =
      child.pid === undefined ? () => undefined : watchOver({ group: child.pid, marker: this.#marker });
    this.#gone = Promise.race([once(child, "error"), once(child, "exit")]).then(() => {
      this.#isGone = true;
      // Nobody can tell any more how they end.
      for (const fork of this.#forks.values()) fork.end([null, "SIGKILL"]);
      this.#forks.clear();
    });
    this.#ready = this.#listen();
  }

  /**
   * Begins to load the modules. Undefined where the program is none that can be forked, it cannot be started, or the
   * system is not Linux.
   */
  static async begin(options: ForkServerOptions): Promise<ForkServer | undefined> {
    if (process.platform !== "linux") return undefined;
    const { first } = options;
    const { cwd } = first;
    const start =
      launcherStart(first.file, first.args) ??
      pythonStart(first.file, first.args, { ...options, cwd, path: first.env.PATH });
    if (start === undefined) return undefined;
    await options.isolation.prepare();
    if (isEnding()) return undefined;
    try {
      return new ForkServer(options, start);
    } catch {
      return undefined;
    }
  }

  /** The process id, for whoever measures; undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  async fork(wanted: ToStart): Promise<StartedProcess | undefined> {
    const set = this.#difference(wanted.env);
    const args = this.#argsOf(wanted);
    if (set === undefined || args === undefined) return undefined;
    const start = await this.#ready;
    if (start === undefined) return undefined;
    await using place = await openOutputPlace();
    const reader = place.reader;
    if (this.#isGone) return undefined;
    const id = randomUUID();
    const fork = new Fork();
    this.#forks.set(id, fork);
    const unset = Object.keys(this.options.first.env).filter((name) => !(name in wanted.env));
    const request = { id, ...start.runs, args, cwd: wanted.cwd, set, unset, output: place.path };
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    // A server that hangs must not fork later what has been started the ordinary way by then.
    const timer = setTimeout(() => this.#kill(), patienceMs);
    const pid = await fork.connected;
    clearTimeout(timer);
    if (pid === undefined) {
      // Without its byte it runs nothing.
      reader.then(
        (socket) => socket.destroy(),
        () => undefined,
      );
      return undefined;
    }
    const output = await reader;
    output.write("\n");
    return { pid, ended: fork.ended, output, giveUp: () => fork.end([null, "SIGKILL"]) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, stdin } = this.#child;
    stdin?.destroy();
    if (pid !== undefined) {
      await Promise.race([this.#gone, sleep(graceMs, undefined, { ref: false })]);
      await endFamily({ group: pid, marker: this.#marker }, graceMs);
    }
    this.#forget();
  }

  /** How to fork once the modules are loaded; undefined where they cannot be, or the process ends first. */
  async #listen(): Promise<PythonStart | undefined> {
    const [, stdout, stderr, answers] = this.#child.stdio;
    // What it says as it loads, a start of its own would say as well.
    let spoke = false;
    for (const stream of [stdout, stderr]) {
      (stream as Readable | null)?.on("data", () => {
        spoke = true;
      });
    }
    if (!answers) return undefined;
    const ready = await new Promise<Answer | undefined>((resolve) => {
      createInterface({ input: answers as Readable }).on("line", (line) => {
        const answer = JSON.parse(line) as Answer;
        if (answer.id === undefined) resolve(answer.ready === true ? answer : undefined);
        else this.#take(answer.id, answer);
      });
      void this.#gone.then(() => resolve(undefined));
      setTimeout(() => resolve(undefined), patienceMs).unref();
    });
    // It was written before.
    await turn();
    await turn();
    return ready === undefined || spoke ? undefined : this.#startBy(ready);
  }

  /** A launcher's program is known once it ran. */
  #startBy({ executable = "", script }: Answer): PythonStart | undefined {
    if (!("launcher" in this.start)) return this.start;
    if (!script) return undefined;
    const { first, anyProgram } = this.options;
    const { args } = this.start;
    const start = pythonStart(script, args, {
      ...this.options,
      // A project's own script it runs by other means than the installed one.
      anyProgram: anyProgram && basename(first.file) !== "poetry",
      cwd: first.cwd,
      path: undefined,
    });
    // The first place of modules is known for a script only.
    return start !== undefined &&
      "script" in start.runs &&
      dirname(start.interpreter[0] ?? "") === dirname(executable)
      ? start
      : undefined;
  }

  #take(id: string, { pid, code, signal }: Answer): void {
    const fork = this.#forks.get(id);
    if (pid === undefined) {
      fork?.end([code ?? null, signal === undefined ? null : signalName(signal)]);
      this.#forks.delete(id);
    } else fork?.connect(pid);
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid !== undefined) void endFamily({ group: pid, marker: this.#marker }, 0);
  }

  /** The program's own words of a start like the first; undefined for another one. */
  #argsOf({ file, args, cwd, env }: ToStart): readonly string[] | undefined {
    const { first } = this.options;
    if ("launcher" in this.start) {
      const { launcher, program } = this.start;
      const wanted = launcherStart(file, args);
      // In another folder it may make another environment.
      const isSame =
        wanted?.launcher.join("\0") === launcher.join("\0") &&
        wanted.program === program &&
        cwd === first.cwd;
      return isSame ? wanted.args : undefined;
    }
    const wanted = pythonStart(file, args, { ...this.options, cwd, path: env.PATH });
    const isSame =
      JSON.stringify([wanted?.interpreter, wanted?.firstPlace, wanted?.runs]) ===
      JSON.stringify([this.start.interpreter, this.start.firstPlace, this.start.runs]);
    return isSame ? wanted?.args : undefined;
  }

  /** The variables that this start has beside the server's; undefined where others differ than those that may. */
  #difference(env: Readonly<Record<string, string>>): Record<string, string> | undefined {
    const { first, varying } = this.options;
    const names = Object.keys({ ...first.env, ...env }).filter((name) => env[name] !== first.env[name]);
    if (!names.every((name) => varying.has(name) || name === markerName)) return undefined;
    return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  }
}

/** One request. A process that ended before it was connected has run nothing of the program. */
class Fork {
  readonly connected: Promise<number | undefined>;
  readonly ended: Promise<Ending>;
  connect!: (pid: number | undefined) => void;
  #end!: (ending: Ending) => void;

  constructor() {
    this.connected = new Promise((resolve) => {
      this.connect = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  end(ending: Ending): void {
    this.connect(undefined);
    this.#end(ending);
  }
}

function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return (found?.[0] ?? "SIGKILL") as NodeJS.Signals;
}
