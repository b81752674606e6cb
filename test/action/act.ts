import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { node24 } from "../../scripts/node24.mjs";
import { pythonBin } from "../support/project";

/** One line of `act --json`, as far as the tests read it. */
interface Line {
  readonly msg?: string;
  readonly command?: string;
  readonly arg?: string;
  readonly name?: string;
  readonly kvPairs?: Readonly<Record<string, string>>;
  readonly content?: string;
  readonly jobID?: string;
  readonly jobResult?: string;
}

export interface ActAnnotation {
  readonly level: string;
  readonly message: string;
  readonly title: string | undefined;
  readonly file: string | undefined;
  readonly line: string | undefined;
}

export interface ActRun {
  readonly code: number | null;
  /** Result by job; a job whose label nobody serves is skipped by act with exit 0, and is missing here. */
  readonly jobs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly annotations: readonly ActAnnotation[];
  /** What a reader of the job's log sees. */
  readonly log: string;
}

export interface ActOptions {
  /** The repository in which the workflow is. */
  readonly cwd: string;
  /** Relative to it. */
  readonly workflow: string;
  readonly event: string;
  readonly payload: object;
  readonly token: string | undefined;
  readonly apiUrl: string;
  /** Folders that stand for remote actions, by `owner/name@ref`. */
  readonly actions: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** In a file that only act reads: steps inherit act's environment. Their values are not hidden by act itself. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The repository's variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Folders of programs that come first. */
  readonly path?: readonly string[];
  /** More words for act. */
  readonly words?: readonly string[];
}

/** act has wheels for this only; elsewhere the suite is left out. */
export const actRunsHere = process.platform === "linux" && process.arch === "x64";

/** Runs a workflow with nektos/act: the runner's steps, commands, files and environment, on this machine. */
export async function runAct(options: ActOptions): Promise<ActRun> {
  const home = mkdtempSync(join(tmpdir(), "migration-gate-act-"));
  const payload = join(home, "event.json");
  writeFileSync(payload, JSON.stringify(options.payload));
  const secrets = join(home, "secrets");
  const lines = Object.entries(options.secrets ?? {}).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(secrets, lines.join(""));
  const words = [
    options.event,
    ...["--json", "--no-cache-server", "--rm", "-W", options.workflow, "-e", payload],
    ...(options.words ?? ["-P", "ubuntu-latest=-self-hosted"]),
    ...Object.entries({ GITHUB_API_URL: options.apiUrl, PAGER: "cat", ...options.env }).flatMap(
      ([name, value]) => ["--env", `${name}=${value}`],
    ),
    ...Object.entries(options.actions).flatMap(([name, folder]) => [
      "--local-repository",
      `${name}=${folder}`,
    ]),
    ...(options.token === undefined ? [] : ["-s", "GITHUB_TOKEN"]),
    ...(options.secrets === undefined ? [] : ["--secret-file", secrets, "--insecure-secrets"]),
    ...Object.entries(options.variables ?? {}).flatMap(([name, value]) => ["--var", `${name}=${value}`]),
  ];
  const act = join(pythonBin(), "act");
  // act gives steps a terminal, which a runner does not: without the device it takes pipes.
  const masked = ["-m", "sh", "-c", 'mount --bind /dev/null /dev/ptmx && exec "$@"', "sh", act, ...words];
  const [file, args] = process.getuid?.() === 0 ? ["unshare", masked] : [act, words];
  const child = spawn(file, args, {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    // Steps inherit it: nothing of whoever runs the tests.
    env: {
      PATH: [...(options.path ?? []), dirname(node24()), pythonBin(), process.env.PATH ?? ""].join(delimiter),
      LANG: "C.UTF-8",
      HOME: home,
      XDG_CACHE_HOME: join(home, "cache"),
      ...(process.env.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: process.env.DOCKER_HOST }),
      ...(options.token === undefined ? {} : { GITHUB_TOKEN: options.token }),
    },
  });
  const streams = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      streams[name] += text;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  rmSync(home, { recursive: true, force: true });
  return { code, ...read(streams.stdout, streams.stderr) };
}

function read(stdout: string, stderr: string): Omit<ActRun, "code"> {
  const lines = stdout.split("\n").flatMap((text): Line[] => {
    try {
      return [JSON.parse(text) as Line];
    } catch {
      return text === "" ? [] : [{ msg: text }];
    }
  });
  const named = (command: string) => lines.filter((line) => line.command === command);
  return {
    jobs: Object.fromEntries(
      lines.flatMap(({ jobID, jobResult }) => (jobID && jobResult ? [[jobID, jobResult]] : [])),
    ),
    outputs: Object.fromEntries(named("set-output").map(({ name, arg }) => [name, arg])),
    summary: named("summary")
      .map(({ content }) => content)
      .join(""),
    annotations: lines
      .filter(({ command }) => ["error", "warning", "notice"].includes(command ?? ""))
      .map(({ command = "", arg = "", kvPairs = {} }) => ({
        level: command,
        message: arg,
        title: kvPairs.title,
        file: kvPairs.file,
        line: kvPairs.line,
      })),
    // A mask's own line has its secret in fields that a log does not show.
    log: [...lines.map(({ msg = "" }) => msg), stderr].join("\n"),
  };
}

const stubs = resolve(import.meta.dirname, "stubs");

/** The stand-in for astral-sh/setup-uv. */
export const setupUv = join(stubs, "setup-uv");

/** The stand-in for actions/upload-artifact, and a folder with one for `aws`: both keep what they get in the folder $KEPT. */
export const uploadArtifact = join(stubs, "upload-artifact");
export const cloudPrograms = join(stubs, "bin");
