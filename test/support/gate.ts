import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import type { Finding } from "../../src/model/finding";
import type { CheckReport } from "../../src/model/verdict";
import { rules } from "../../src/rules/index";
import { withPython } from "./project";

const root = resolve(import.meta.dirname, "..", "..");

let bundled: Promise<string> | undefined;

/** The command line as one file, made from the sources as they are now; the same for every test file of a run. */
export function gateBundle(): Promise<string> {
  bundled ??= bundle();
  return bundled;
}

async function bundle(): Promise<string> {
  const hash = createHash("sha256");
  const sources = join(root, "src");
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  for (const file of files.sort())
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(sources, file)));
  const user = process.getuid?.() ?? 0;
  const home = join(tmpdir(), `gate-bundle-${user}-${hash.digest("hex").slice(0, 16)}`);
  const file = join(home, "cli.js");
  if (existsSync(file)) {
    utimesSync(home, new Date(), new Date());
    return file;
  }
  removeOldBundles(`gate-bundle-${user}-`);
  const work = mkdtempSync(join(tmpdir(), "gate-bundle-work-"));
  await build({
    entryPoints: [join(root, "src", "cli.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["pg-native"],
    outfile: join(work, "cli.js"),
    logLevel: "error",
  });
  copyFileSync(
    join(root, "node_modules", "libpg-query", "wasm", "libpg-query.wasm"),
    join(work, "libpg-query.wasm"),
  );
  try {
    renameSync(work, home);
  } catch {
    // Another test file was first.
    rmSync(work, { recursive: true, force: true });
  }
  return file;
}

/** Those of a day ago and before: no run uses them any more. */
function removeOldBundles(prefix: string): void {
  const dayAgo = Date.now() - 24 * 3_600_000;
  for (const name of readdirSync(tmpdir())) {
    const folder = join(tmpdir(), name);
    const time = name.startsWith(prefix) ? statSync(folder, { throwIfNoEntry: false })?.mtimeMs : undefined;
    if (time !== undefined && time < dayAgo) rmSync(folder, { recursive: true, force: true });
  }
}

export interface GateOptions {
  /** The folder in which it is started: the project's. */
  readonly cwd: string;
  /** Settings after `check`. */
  readonly args?: readonly string[];
  /** Added to the environment with the tests' Python; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface GateEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningGate {
  readonly child: ChildProcess;
  readonly ended: Promise<GateEnd>;
}

/** The variables of a gate that a test starts: the tests' Python, and no setting or event of whoever runs the tests. */
export function gateEnvironment(env: GateOptions["env"] = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:MIGRATION_GATE_|VITEST|PG|GITHUB_|INPUT_)/.test(name),
  );
  const all: NodeJS.ProcessEnv = { ...withPython(Object.fromEntries(inherited)), ...env };
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  return all;
}

/** `migration-gate <args>` as a user starts it, in a process of its own. */
export async function startGate(words: readonly string[], options: GateOptions): Promise<RunningGate> {
  const file = await gateBundle();
  const child = spawn(process.execPath, [file, ...words, ...(options.args ?? [])], {
    cwd: options.cwd,
    env: gateEnvironment(options.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const streams = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      streams[name] += text;
    });
  }
  const ended = once(child, "close").then(
    ([code, signal]): GateEnd => ({ code, signal, stdout: streams.stdout, stderr: streams.stderr }),
  );
  return { child, ended };
}

const atOnce = 2;
let running = 0;
const waiting: (() => void)[] = [];

/** `migration-gate check <args>`, to its end; two at a time, because more only slow each other down. */
export async function runCheck(options: GateOptions): Promise<GateEnd> {
  if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    const { ended } = await startGate(["check"], options);
    return await ended;
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

export interface JudgedEnd extends GateEnd {
  readonly report: CheckReport;
}

/** `migration-gate check --format json`; throws where it printed no report. */
export async function judge(options: GateOptions): Promise<JudgedEnd> {
  const end = await runCheck({ ...options, args: ["--format", "json", ...(options.args ?? [])] });
  if (end.code !== 0 && end.code !== 1) throw new Error(`exit ${end.code}\n${end.stderr}\n${end.stdout}`);
  // As the types have it: undefined where a field does not apply.
  const report = JSON.parse(end.stdout, (_, value: unknown) => value ?? undefined) as CheckReport;
  return { ...end, report };
}

/** `<severity> <rule> <revision> <object>`, sorted: what a report blames on whom, suppressed findings left out. */
export function blames(report: CheckReport): string[] {
  return report.findings
    .filter(({ suppressed }) => !suppressed)
    .map(blame)
    .sort();
}

/** A migration-gate.yml for tests of what the proof shows: no lint rule speaks. */
export const lintOff = {
  "migration-gate.yml": `rules:\n${[...Object.keys(rules), "not-analysed"]
    .map((id) => `  ${id}: { severity: off, because: this test is about the proof }\n`)
    .join("")}`,
};

function blame({ severity, rule, revision, object }: Finding): string {
  return [severity, rule, revision ?? "-", object].filter((part) => part !== undefined).join(" ");
}

/** Every step that is not plainly proved, as `<revision> <direction>: <status>, <reason>`, sorted. */
export function openSteps(report: CheckReport): string[] {
  return report.steps
    .filter(({ status }) => status !== "proved")
    .map(({ revision, direction, status, reason }) => `${revision} ${direction}: ${status}, ${reason}`)
    .sort();
}
