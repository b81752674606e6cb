import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type net from "node:net";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { graceMs, watchOver } from "./families";
import { forkServerProgram } from "./fork-server-program";
import type { Isolation } from "./isolation";
import { openOutputPlace } from "./output-pipe";
import { endFamily, markerName } from "./processes";
import { type PythonStart, pythonStart } from "./python-start";

/** A process that runs, however it was started. */
export interface StartedProcess {
  /** Of the process, and of its group. */
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** Its stdout and stderr. */
  readonly output: net.Socket;
}

export type Ending = readonly [exitCode: number | null, signal: NodeJS.Signals | null];

export interface ToStart {
  /** Absolute. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** As the program answers; see fork-server-program.ts. */
interface Answer {
  readonly ready?: boolean;
  readonly unfit?: string;
  readonly id?: string;
  readonly pid?: number;
  readonly code?: number;
  readonly signal?: number;
}

/** How long loading the modules, and one fork, may take before the tool is started the ordinary way. */
const patienceMs = 20_000;

/** Read by the interpreter and its libraries as they load: what is forked has those of the server. */
const readAtStart = /^(?:PYTHON|LC_|LANG|LD_|TZ$|MALLOC_|OPENSSL_|SSL_)/;

/**
 * Starts of one Python program without the time that its interpreter and libraries take to load: they are loaded once,
 * and every start is a fork of that process. Python's multiprocessing calls it a fork server. A start for which it does
 * not do, for whatever reason, is undefined: the program is then started the ordinary way.
 */
export class ForkServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #marker: string;
  readonly #ready: Promise<boolean>;
  readonly #gone: Promise<void>;
  readonly #forget: () => void;
  #isGone = false;
  /** By the id of the request. */
  readonly #forks = new Map<string, Fork>();

  private constructor(
    private readonly first: ToStart,
    private readonly start: PythonStart,
    modules: readonly string[],
    isolation: Isolation,
  ) {
    const argument = JSON.stringify({ modules, firstPlace: start.firstPlace });
    const words = [...start.interpreter, "-c", forkServerProgram, argument];
    const [program, ...args] = isolation.wrap(words, first.cwd) as [string, ...string[]];
    this.#marker = randomUUID();
    this.#child = spawn(program, args, {
      cwd: first.cwd,
      env: { ...first.env, [markerName]: this.#marker },
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const child = this.#child;
    child.stdin?.on("error", () => undefined);
    this.#forget = watchOver({ group: child.pid ?? 0, marker: this.#marker });
    this.#gone = Promise.race([once(child, "error"), once(child, "exit")]).then(() => {
      this.#isGone = true;
      // Nobody can tell any more how they end.
      for (const fork of this.#forks.values()) fork.end([null, "SIGKILL"]);
      this.#forks.clear();
    });
    this.#ready = this.#listen();
  }

  /**
   * Begins to load `modules` (none of the project's own; those that are not installed are left out) for starts like
   * `first`. Undefined where its program is none that can be forked, or the system is not Linux.
   */
  static async begin(
    first: ToStart,
    modules: readonly string[],
    isolation: Isolation,
  ): Promise<ForkServer | undefined> {
    if (process.platform !== "linux") return undefined;
    const start = pythonStart(first.file, first.args, first.cwd, first.env["PATH"]);
    if (start === undefined) return undefined;
    await isolation.prepare();
    return new ForkServer(first, start, modules, isolation);
  }

  /** The process id, for whoever measures; undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  async fork({ file, args, cwd, env }: ToStart): Promise<StartedProcess | undefined> {
    const start = pythonStart(file, args, cwd, env["PATH"]);
    if (start === undefined || !this.#isLike(start, env) || !(await this.#ready)) return undefined;
    await using place = await openOutputPlace();
    if (this.#isGone) return undefined;
    const id = randomUUID();
    const fork = new Fork();
    this.#forks.set(id, fork);
    const request = { id, ...start.runs, args: start.args, cwd, env, output: place.path };
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    // A server that hangs must not fork later what has been started the ordinary way by then.
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    const pid = await fork.connected;
    clearTimeout(timer);
    return pid === undefined ? undefined : { pid, ended: fork.ended, output: await place.reader };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#child.stdin?.destroy();
    await Promise.race([this.#gone, sleep(graceMs, undefined, { ref: false })]);
    await endFamily({ group: pid, marker: this.#marker }, graceMs);
    this.#forget();
  }

  /** True once the modules are loaded; false where they cannot be, or the process ends first. */
  async #listen(): Promise<boolean> {
    const { stdout } = this.#child;
    if (stdout === null) return false;
    return new Promise<boolean>((resolve) => {
      createInterface({ input: stdout }).on("line", (line) => {
        const answer = JSON.parse(line) as Answer;
        if (answer.id === undefined) resolve(answer.ready === true);
        else this.#take(answer.id, answer);
      });
      void this.#gone.then(() => resolve(false));
      setTimeout(() => resolve(false), patienceMs).unref();
    });
  }

  #take(id: string, { pid, code, signal }: Answer): void {
    const fork = this.#forks.get(id);
    if (pid === undefined) {
      fork?.end([code ?? null, signal === undefined ? null : signalName(signal)]);
      this.#forks.delete(id);
    } else fork?.connect(pid);
  }

  #isLike(start: PythonStart, env: Readonly<Record<string, string>>): boolean {
    const names = Object.keys({ ...env, ...this.first.env }).filter((name) => readAtStart.test(name));
    return (
      start.interpreter.join("\0") === this.start.interpreter.join("\0") &&
      start.firstPlace === this.start.firstPlace &&
      names.every((name) => env[name] === this.first.env[name])
    );
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
