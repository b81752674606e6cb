import { readFileSync } from "node:fs";
import path from "node:path";
import { commitOf, isShallow, mergeBase } from "./commits";
import { GitError, git } from "./git";

/** What a fetch came to: the commit, or git's own words for why not. */
export type Fetched = { readonly commit: string } | { readonly failure: string };

const fetchMs = 60_000;
/** Each try fetches what the ones before did not; the last one fetches all. */
const depths = ["--deepen=50", "--deepen=1000", "--unshallow"];
const options = ["--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--quiet"];

/** One commit from origin by its id; of a shallow clone's origin only that commit. */
export async function fetchCommit(root: string, id: string): Promise<Fetched> {
  const depth = (await isShallow(root)) ? ["--depth=1"] : [];
  const failure = await tryFetch(root, [...depth, "--", "origin", id]);
  const commit = await commitOf(root, id);
  return commit === undefined ? { failure: failure ?? "origin did not send it" } : { commit };
}

/** A branch of origin as refs/remotes/origin/<branch>. The name comes from outside: it may be no name at all. */
export async function fetchBranch(root: string, branch: string): Promise<Fetched> {
  const shallow = await isShallow(root);
  try {
    await git(root, ["check-ref-format", `refs/heads/${branch}`]);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return { failure: "this is no name of a branch" };
  }
  const depth = shallow ? ["--depth=1"] : [];
  const failure = await tryFetch(root, [...depth, "--", "origin", refspecOf(branch)]);
  const commit = await commitOf(root, trackingRef(branch));
  return commit === undefined ? { failure: failure ?? "origin did not send it" } : { commit };
}

export function trackingRef(branch: string): string {
  return `refs/remotes/origin/${branch}`;
}

function refspecOf(branch: string): string {
  return `+refs/heads/${branch}:${trackingRef(branch)}`;
}

/**
 * The merge base of two commits; in a shallow clone history is fetched until they have one. Bounded in tries and time.
 * `failure` says what stopped it; undefined where the whole history is here and they have none.
 */
export async function commonCommit(
  root: string,
  one: string,
  other: string,
): Promise<{ readonly commit: string } | { readonly failure: string | undefined }> {
  const found = await mergeBase(root, one, other);
  if (found !== undefined) return { commit: found };
  for (const depth of depths) {
    // Where history was cut off: commits that origin has, whatever is checked out here.
    const cuts = await cutsOf(root);
    if (cuts.length === 0) return { failure: undefined };
    const failure = await tryFetch(root, [depth, "--", "origin", ...cuts]);
    if (failure !== undefined) return { failure };
    const commit = await mergeBase(root, one, other);
    if (commit !== undefined) return { commit };
  }
  return { failure: undefined };
}

async function cutsOf(root: string): Promise<readonly string[]> {
  if (!(await isShallow(root))) return [];
  const file = (await git(root, ["rev-parse", "--git-path", "shallow"])).trim();
  const lines = readFileSync(path.resolve(root, file), "utf8").split("\n");
  // An argument list has an end; the rest follows from the others or in the next try.
  return lines.filter((line) => /^[0-9a-f]{40,64}$/.test(line)).slice(0, 500);
}

/** Git's first line where it failed. */
async function tryFetch(root: string, args: readonly string[]): Promise<string | undefined> {
  try {
    await git(root, ["fetch", ...options, ...args], { timeoutMs: fetchMs });
    return undefined;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return error.message.split("\n")[0]?.replace(/:\/\/[^@/\s]*@/g, "://") ?? "";
  }
}
