import { readFileSync } from "node:fs";
import { UserError } from "../errors";

/** What GitHub tells of the run, as far as it says what the change is compared with. */
export type GitHubEvent =
  | {
      readonly name: "pull_request";
      readonly baseRef: string;
      readonly baseSha: string | undefined;
      readonly headSha: string | undefined;
    }
  | { readonly name: "merge_group"; readonly baseSha: string; readonly headSha: string | undefined }
  | {
      readonly name: "push";
      readonly ref: string;
      /** Undefined for a new branch, of which GitHub says 000…. */
      readonly before: string | undefined;
      readonly defaultBranch: string | undefined;
    };

/**
 * Reads GITHUB_EVENT_NAME and the file GITHUB_EVENT_PATH. Undefined outside of GitHub and for other events, whose commit
 * is compared with nothing. UserError where the file does not say what it must.
 */
export function readEvent(environment: NodeJS.ProcessEnv): GitHubEvent | undefined {
  const name = environment.GITHUB_EVENT_NAME;
  if (name !== "pull_request" && name !== "merge_group" && name !== "push") return undefined;
  const event = readFile(name, environment.GITHUB_EVENT_PATH);
  if (name === "pull_request") {
    const baseRef =
      textAt(event, ["pull_request", "base", "ref"]) ?? (environment.GITHUB_BASE_REF || undefined);
    if (baseRef === undefined) throw without(name, "pull_request.base.ref");
    return {
      name,
      baseRef,
      baseSha: commitAt(event, ["pull_request", "base", "sha"]),
      headSha: commitAt(event, ["pull_request", "head", "sha"]),
    };
  }
  if (name === "merge_group") {
    const baseSha = commitAt(event, ["merge_group", "base_sha"]);
    if (baseSha === undefined) throw without(name, "merge_group.base_sha");
    return { name, baseSha, headSha: commitAt(event, ["merge_group", "head_sha"]) };
  }
  const ref = textAt(event, ["ref"]);
  const before = commitAt(event, ["before"]);
  if (ref === undefined || before === undefined) throw without(name, ref === undefined ? "ref" : "before");
  return {
    name,
    ref,
    before: /^0+$/.test(before) ? undefined : before,
    defaultBranch: textAt(event, ["repository", "default_branch"]),
  };
}

const advice = "Set base to the commit, tag or branch that the change is compared with.";

function readFile(name: string, file: string | undefined): unknown {
  const because = (seen: string, cause?: unknown) =>
    new UserError(
      {
        what: `The event ${name} cannot be read, which says what the change is compared with.`,
        seen,
        do: advice,
      },
      { cause },
    );
  if (file === undefined || file === "") throw because("GITHUB_EVENT_PATH is not set.");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw because(`GITHUB_EVENT_PATH is ${file}, which cannot be read.`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw because(`${file} is no JSON.`, error);
  }
}

function without(name: string, field: string): UserError {
  return new UserError({
    what: `The event ${name} has no ${field}, which says what the change is compared with.`,
    where: "the file GITHUB_EVENT_PATH",
    do: advice,
  });
}

function textAt(value: unknown, path: readonly string[]): string | undefined {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Object.entries(found).find(([key]) => key === name)?.[1];
  }
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** Only what looks like a commit's id is handed to git. */
function commitAt(value: unknown, path: readonly string[]): string | undefined {
  const text = textAt(value, path);
  return text !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? text : undefined;
}
