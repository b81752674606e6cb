import { UserError } from "../errors";
import { branchesOf, commitOf, isShallow, namedParents, requireHead } from "./commits";
import { type GitHubEvent, readEvent } from "./event";
import { commonCommit, type Fetched, fetchBranch, fetchCommit, trackingRef } from "./fetch";

/** What the change is compared with. */
export interface Base {
  /** Where it came from: `--base`, or GitHub's event. */
  readonly source: string;
  /** The commit whose files are those before the change: the merge base, or what was there before a push. */
  readonly commit: string;
  /** Where the change will be merged, which may have gone on since `commit`; undefined for a push, which replaces it. */
  readonly tip: string | undefined;
}

/**
 * The base that the settings name, else that of GitHub's event; undefined where there is none, and then every revision is
 * under judgement. A shallow clone fetches what it lacks. UserError where a base is told and cannot be had.
 */
export async function resolveBase(
  root: string,
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<Base | undefined> {
  if (named !== undefined) {
    const head = await requireHead(root);
    const tip = (await commitOf(root, named)) ?? (await fetchNamed(root, named));
    return { source: "--base", commit: await requireCommon(root, tip, head, named), tip };
  }
  const event = readEvent(environment);
  if (event === undefined) return undefined;
  const head = await requireHead(root);
  if (event.name === "pull_request") return await pullRequestBase(root, head, event);
  if (event.name === "merge_group") return await mergeGroupBase(root, head, event);
  return await pushBase(root, head, event);
}

type EventNamed<Name extends GitHubEvent["name"]> = Extract<GitHubEvent, { readonly name: Name }>;

async function pullRequestBase(root: string, head: string, event: EventNamed<"pull_request">): Promise<Base> {
  const { name: source, baseRef, baseSha, headSha } = event;
  const [first, second, third] = await namedParents(root, head);
  const isMergeByGitHub =
    second !== undefined && third === undefined && (second === headSha || first === baseSha);
  if (first !== undefined && isMergeByGitHub) {
    const commit = await requireFetched(root, `the target's commit ${first}`, first, () =>
      fetchCommit(root, first),
    );
    return { source, commit, tip: commit };
  }
  const tip = await requireFetched(root, `the target branch "${baseRef}"`, trackingRef(baseRef), async () => {
    const fetched = await fetchBranch(root, baseRef);
    if ("commit" in fetched) return fetched;
    // Where origin cannot be asked: what is here of the target.
    const commit =
      (baseSha === undefined ? undefined : await commitOf(root, baseSha)) ??
      (await commitOf(root, `refs/heads/${baseRef}`));
    return commit === undefined ? fetched : { commit };
  });
  return { source, commit: await requireCommon(root, tip, head, baseRef), tip };
}

async function mergeGroupBase(root: string, head: string, event: EventNamed<"merge_group">): Promise<Base> {
  const { name: source, baseSha, headSha } = event;
  const tip = await requireFetched(root, `the merge group's base ${baseSha}`, baseSha, () =>
    fetchCommit(root, baseSha),
  );
  // GitHub builds a group upon its base: no history is needed to know that.
  const commit = head === headSha ? tip : await requireCommon(root, tip, head, baseSha);
  return { source, commit, tip };
}

async function pushBase(root: string, head: string, event: EventNamed<"push">): Promise<Base | undefined> {
  const { name: source, ref, before, defaultBranch } = event;
  if (before !== undefined) {
    const known = await commitOf(root, before);
    const fetched: Fetched = known === undefined ? await fetchCommit(root, before) : { commit: known };
    if ("commit" in fetched) return { source, commit: fetched.commit, tip: undefined };
  }
  // A new branch, or one whose old commits are gone after a forced push.
  if (!ref.startsWith("refs/heads/") || defaultBranch === undefined || ref === `refs/heads/${defaultBranch}`)
    return undefined;
  const known = await commitOf(root, trackingRef(defaultBranch));
  const fetched: Fetched = known === undefined ? await fetchBranch(root, defaultBranch) : { commit: known };
  if (!("commit" in fetched)) return undefined;
  const common = await commonCommit(root, fetched.commit, head);
  return "commit" in common ? { source, commit: common.commit, tip: fetched.commit } : undefined;
}

const wholeHistory =
  "Check out with the whole history (actions/checkout: fetch-depth: 0), or run: git fetch --unshallow";

/** What is here under that name, else what the fetch brings. */
async function requireFetched(
  root: string,
  what: string,
  name: string,
  fetch: () => Promise<Fetched>,
): Promise<string> {
  const known = await commitOf(root, name);
  const fetched: Fetched = known === undefined ? await fetch() : { commit: known };
  if ("commit" in fetched) return fetched.commit;
  throw new UserError({
    what: `Git does not have ${what}, and it could not be fetched.`,
    where: root,
    seen: fetched.failure,
    why: "The change is compared with it.",
    do: "Check out with the whole history (actions/checkout: fetch-depth: 0), or set base to a commit that is here.",
  });
}

/** Only in a shallow clone: elsewhere a name that is not here was not meant to be. */
async function fetchNamed(root: string, named: string): Promise<string> {
  const shallow = await isShallow(root);
  if (shallow) {
    const branch = /^origin\/(.+)$/.exec(named)?.[1];
    const fetched = /^[0-9a-f]{40,64}$/.test(named)
      ? await fetchCommit(root, named)
      : branch === undefined
        ? undefined
        : await fetchBranch(root, branch);
    if (fetched !== undefined && "commit" in fetched) return fetched.commit;
  }
  throw new UserError({
    what: `The base "${named}" is no commit of this repository.`,
    where: root,
    seen: shallow ? "The clone is shallow." : await branchesOf(root),
    do: shallow
      ? wholeHistory
      : `Fetch it (git fetch origin ${named.replace(/^origin\//, "")}), or set base to a commit, tag or branch.`,
  });
}

async function requireCommon(root: string, tip: string, head: string, named: string): Promise<string> {
  const common = await commonCommit(root, tip, head);
  if ("commit" in common) return common.commit;
  const shallow = await isShallow(root);
  throw new UserError({
    what: `HEAD and the base "${named}" have no common commit.`,
    where: root,
    seen: shallow
      ? `The clone is shallow, and the common commit could not be fetched${common.failure === undefined ? "" : `: ${common.failure}`}.`
      : "Their histories are unrelated.",
    do: shallow ? wholeHistory : "Set base to a commit that this branch comes from.",
  });
}
