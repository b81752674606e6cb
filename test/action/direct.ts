import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gateEnvironment } from "../support/gate";

export interface DirectRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: string;
  /** GITHUB_OUTPUT as it was written. */
  readonly outputs: string;
  /** Every file that was written for later steps, by name. */
  readonly files: Readonly<Record<string, string>>;
}

export interface DirectOptions {
  readonly action: string;
  readonly cwd: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly event?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** dist/action.js with a runner's environment and without a runner, for what a runner never does. */
export async function runDirectly({
  action,
  cwd,
  inputs = {},
  event,
  env,
}: DirectOptions): Promise<DirectRun> {
  const runner = join(cwd, ".runner");
  mkdirSync(join(runner, "temp"), { recursive: true });
  for (const name of ["output", "summary"]) writeFileSync(join(runner, name), "");
  if (event !== undefined) writeFileSync(join(runner, "event.json"), event);
  const child = spawn(process.execPath, [join(action, "dist", "action.js")], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: gateEnvironment({
      ...Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
      ),
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_JOB: "gate",
      GITHUB_REPOSITORY: "acme/boards",
      GITHUB_EVENT_NAME: undefined,
      GITHUB_EVENT_PATH: event === undefined ? undefined : join(runner, "event.json"),
      GITHUB_WORKSPACE: cwd,
      GITHUB_OUTPUT: join(runner, "output"),
      GITHUB_STEP_SUMMARY: join(runner, "summary"),
      RUNNER_TEMP: join(runner, "temp"),
      ...env,
    }),
  });
  const streams = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      streams[name] += text;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  const read = (name: string) =>
    existsSync(join(runner, name)) ? readFileSync(join(runner, name), "utf8") : "";
  const temp = join(runner, "temp");
  const written = readdirSync(temp, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".json"),
  );
  return {
    code,
    ...streams,
    summary: read("summary"),
    outputs: read("output"),
    files: Object.fromEntries(written.map((name) => [name, readFileSync(join(temp, name), "utf8")])),
  };
}
