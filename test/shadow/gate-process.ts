import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { commandLineOf } from "../../src/shadow/owner";

/** What test/shadow/gate-main.ts tells once its server is up. */
export interface GateReport {
  readonly version: string;
  readonly processes: readonly number[];
  readonly dataDirectory: string;
  readonly database: string;
}

/** Bundles gate-main.ts into the directory and returns the file to run. */
export async function bundleGate(directory: string): Promise<string> {
  const outfile = join(directory, "gate.cjs");
  await build({
    entryPoints: [join(__dirname, "gate-main.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    external: ["pg-native"],
    outfile,
  });
  return outfile;
}

export interface Gate extends Disposable {
  readonly child: ChildProcess;
  /** The line that the gate printed when its server was up; rejects with what it said instead. */
  readonly report: Promise<GateReport>;
  /** `code` or `signal` of the end. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface GateOptions {
  readonly options?: object;
  readonly end?: "wait" | "exit" | "throw" | "dispose";
  readonly uid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** A gate process of its own with a shadow server; killed at the end of the block if it still runs. */
export function startGate(bundle: string, { options = {}, end = "wait", uid, env }: GateOptions = {}): Gate {
  const child = spawn(process.execPath, [bundle, JSON.stringify(options), end], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    cwd: "/",
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const ended = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const report = new Promise<GateReport>((resolve, reject) => {
    createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line) as GateReport));
    child.once("close", () => reject(new Error(errors)));
  });
  report.catch(() => {});
  return { child, report, ended, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

/** Whether a process runs; one that only waits to be reaped has no command line any more. */
export function isRunning(pid: number): boolean {
  return commandLineOf(pid) !== "";
}
