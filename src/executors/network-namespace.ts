import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { promisify } from "node:util";
import { ToolError } from "../errors";
import { findInPath } from "./executable";
import { holderProgram } from "./namespace-holder";
import { serverSockets } from "./server-sockets";

/** A namespace held by a process of its own; see namespace-holder.ts. */
export interface NetworkNamespace {
  listen(): Promise<{ readonly server: net.Server; readonly port: number }>;
  hideServers(): Promise<void>;
  wrap(argv: readonly string[], cwd: string): string[];
  end(): Promise<void>;
}

interface Programs {
  readonly unshare: string;
  readonly nsenter: string;
}

/** For hangs only: a refusal comes at once. */
const creationTimeoutMs = 20_000;

/** A namespace that has been tried with a command, or one line that says why there is none. */
export async function createNetworkNamespace(): Promise<NetworkNamespace | string> {
  if (process.platform !== "linux") return `network namespaces are Linux's, this is ${process.platform}`;
  const unshare = findInPath("unshare", process.env.PATH);
  const nsenter = findInPath("nsenter", process.env.PATH);
  if (unshare === undefined || nsenter === undefined)
    return "unshare and nsenter (util-linux) are not installed";

  const signal = AbortSignal.timeout(creationTimeoutMs);
  let reason = "";
  // Root without CAP_SYS_ADMIN, as in most containers, may still be allowed a user namespace.
  for (const withUser of process.getuid?.() === 0 ? [false, true] : [true]) {
    const holder = new Holder({ unshare, nsenter }, withUser);
    const failure = await holder.start(signal);
    if (failure === undefined) return holder;
    await holder.end();
    reason ||= failure;
  }
  return explained(reason);
}

/** One line: the system's own word, and which setting of the system forbids it where that is known. */
function explained(failure: string): string {
  const line = failure.split("\n").find((each) => each.trim() !== "") ?? "no message";
  const setting = [
    ["kernel.apparmor_restrict_unprivileged_userns", "1", "0"],
    ["kernel.unprivileged_userns_clone", "0", "1"],
  ].find(([name, forbids]) => systemSetting(name!) === forbids);
  if (process.getuid?.() === 0 || setting === undefined) return line.trim();
  return `${line.trim()} (sudo sysctl -w ${setting[0]}=${setting[2]} allows it)`;
}

function systemSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

interface Answer {
  readonly id?: number;
  readonly type?: "ready";
  readonly loopback?: boolean;
  readonly port?: number;
  readonly failed?: readonly string[];
  readonly error?: string;
}

class Holder implements NetworkNamespace {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (answer: Answer, server?: net.Server) => void>();
  #requests = 0;
  #stderr = "";
  #spawnError: Error | undefined;

  constructor(
    private readonly programs: Programs,
    private readonly withUser: boolean,
  ) {
    const user = withUser ? ["--user", "--map-root-user"] : [];
    const args = [...user, "--net", "--mount", "--", process.execPath, "-e", holderProgram];
    // Nothing of the gate's environment: NODE_OPTIONS could load code or open a debugger there.
    this.#child = spawn(programs.unshare, args, {
      cwd: "/",
      detached: true,
      env: { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin` },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      if (this.#stderr.length < 4096) this.#stderr += chunk.toString("utf8");
    });
    this.#child.on("error", (error) => {
      this.#spawnError = error;
    });
    this.#child.on("message", (answer: Answer, handle: unknown) => {
      if (answer.id === undefined) return;
      this.#pending.get(answer.id)?.(answer, handle instanceof net.Server ? handle : undefined);
      this.#pending.delete(answer.id);
    });
    this.#child.on("exit", () => {
      for (const settle of this.#pending.values()) settle({ error: "its process ended" });
      this.#pending.clear();
    });
  }

  /** Undefined when a command has run in the namespace, else why not. */
  async start(signal: AbortSignal): Promise<string | undefined> {
    try {
      const first = await Promise.race([
        once(this.#child, "message", { signal }) as Promise<[Answer]>,
        once(this.#child, "close", { signal }).then(() => undefined),
      ]);
      if (first === undefined) return this.#stderr || this.#spawnError?.message || "unshare failed";
      if (first[0].loopback !== true) return "the loopback interface could not be brought up";
      await this.hideServers();
      const command = findInPath("true", process.env.PATH) ?? process.execPath;
      const [program, ...args] = this.wrap([command], "/") as [string, ...string[]];
      await promisify(execFile)(program, args, { signal, cwd: "/", env: {} });
      this.#release();
      return undefined;
    } catch (error) {
      if (signal.aborted) return `no network namespace within ${creationTimeoutMs / 1000} s`;
      if (error instanceof ToolError) return error.parts.seen ?? error.message;
      const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
      return stderr || (error instanceof Error ? error.message : String(error));
    }
  }

  async listen(): Promise<{ server: net.Server; port: number }> {
    const { answer, server } = await this.#ask({ type: "listen" });
    if (server === undefined || answer.port === undefined)
      throw this.#failure(answer.error ?? "no listener came");
    return { server, port: answer.port };
  }

  /** Also servers that started since the last time. */
  async hideServers(): Promise<void> {
    const { answer } = await this.#ask({ type: "hide", paths: serverSockets() });
    if (answer.failed === undefined) throw this.#failure(answer.error ?? "no answer");
    if (answer.failed.length > 0) throw this.#failure(`could not hide ${answer.failed.join(", ")}`);
  }

  /**
   * unshare --wd, because entering a mount namespace changes to its root folder. In a user namespace the tool gets
   * its own uid back by a second one inside: as root some tools act differently, or refuse to run.
   */
  wrap(argv: readonly string[], cwd: string): string[] {
    const { nsenter, unshare } = this.programs;
    const uid = process.getuid?.() ?? 0;
    const enter = [nsenter, `--target=${this.#child.pid}`, "--net", "--mount"];
    if (this.withUser) enter.push("--user", "--preserve-credentials");
    const own =
      this.withUser && uid !== 0 ? [`--map-user=${uid}`, `--map-group=${process.getgid?.() ?? uid}`] : [];
    return [...enter, "--", unshare, ...own, `--wd=${cwd}`, "--", ...argv];
  }

  /** The namespace goes with its last process and its last socket. */
  async end(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null)
      return;
    const exit = once(this.#child, "exit");
    this.#child.ref();
    this.#child.kill("SIGKILL");
    await exit;
  }

  /** It must not keep the gate alive; it ends with the gate, whose end closes the channel. */
  #release(): void {
    this.#child.unref();
    this.#child.channel?.unref();
    if (this.#child.stderr instanceof net.Socket) this.#child.stderr.unref();
  }

  #ask(request: { type: "listen" } | { type: "hide"; paths: readonly string[] }) {
    return new Promise<{ answer: Answer; server: net.Server | undefined }>((resolve, reject) => {
      if (!this.#child.connected) return reject(this.#failure("its process ended"));
      const id = this.#requests++;
      this.#child.channel?.ref();
      this.#pending.set(id, (answer, server) => {
        if (this.#pending.size <= 1) this.#child.channel?.unref();
        resolve({ answer, server });
      });
      this.#child.send({ ...request, id });
    });
  }

  #failure(seen: string): ToolError {
    return new ToolError({
      what: "The network namespace that keeps the tool from other databases failed.",
      seen,
      do: "Run the gate again; if it stays so, turn the isolation off.",
    });
  }
}
