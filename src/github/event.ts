import { readFileSync } from "node:fs";

/** The pull request that a run belongs to. */
export interface PullRequest {
  readonly owner: string;
  readonly repository: string;
  readonly number: number;
  /** GitHub gives runs for forks and for Dependabot a token that cannot write. */
  readonly readOnly: boolean;
}

/** The pull request of the runner's event; undefined for other events, and where the event cannot be read. */
export function pullRequestOf(environment: NodeJS.ProcessEnv): PullRequest | undefined {
  const event = readEvent(environment.GITHUB_EVENT_PATH);
  const number = field(field(event, "pull_request"), "number");
  const [owner, repository, ...more] = (environment.GITHUB_REPOSITORY ?? "").split("/");
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 1) return undefined;
  if (!owner || !repository || more.length > 0) return undefined;
  const head = field(field(field(field(event, "pull_request"), "head"), "repo"), "full_name");
  const foreign = typeof head !== "string" || head.toLowerCase() !== `${owner}/${repository}`.toLowerCase();
  const dependabot = environment.GITHUB_ACTOR === "dependabot[bot]";
  return { owner, repository, number, readOnly: foreign || dependabot };
}

function readEvent(file: string | undefined): unknown {
  if (!file) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
