import type { PullRequest } from "./event";

/** The whole of it, all pages: a report is not worth more of a job's time. */
const standardTimeLimitMs = 20_000;
/** GitHub takes 2,500 comments on a pull request. */
const mostPages = 25;

export interface StickyComment {
  readonly token: string;
  readonly pullRequest: PullRequest;
  /** The first line of the body, by which an earlier run's comment is found. */
  readonly marker: string;
  readonly body: string;
  /** False writes over an earlier comment only. */
  readonly create: boolean;
  readonly timeLimitMs?: number;
}

/**
 * Writes over this key's comment of an earlier run, or writes a new one. Never another user's: what a person wrote
 * stays, whatever its first line is. Rejects where GitHub refuses or does not answer in time.
 */
export async function writeStickyComment(
  sticky: StickyComment,
): Promise<"created" | "updated" | "not needed"> {
  // Read when it is needed: it is a third of the bundle, and fails to load beside an event file that is no JSON.
  const { getOctokit } = await import(/* webpackMode: "eager" */ "@actions/github");
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const request = { signal: AbortSignal.timeout(sticky.timeLimitMs ?? standardTimeLimitMs) };
  const { issues, users } = getOctokit(sticky.token, { log: quiet, request }).rest;
  const { owner, repository: repo, number } = sticky.pullRequest;
  // An app's token, as the runner's own, may not ask who it is; then every bot that writes our mark is one of us.
  const login = sticky.token.startsWith("ghs_")
    ? undefined
    : await users.getAuthenticated().then(
        ({ data }) => data.login,
        () => undefined,
      );
  for (let page = 1; page <= mostPages; page += 1) {
    const { data } = await issues.listComments({ owner, repo, issue_number: number, per_page: 100, page });
    const own = data.find(
      ({ body, user }) =>
        body?.startsWith(sticky.marker) &&
        (login === undefined ? user?.type === "Bot" : user?.login === login),
    );
    if (own !== undefined) {
      await issues.updateComment({ owner, repo, comment_id: own.id, body: sticky.body });
      return "updated";
    }
    if (data.length < 100) break;
  }
  if (!sticky.create) return "not needed";
  await issues.createComment({ owner, repo, issue_number: number, body: sticky.body });
  return "created";
}
