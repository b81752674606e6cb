import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors";
import { zipArchive } from "./zip-archive";

const service = "twirp/github.actions.results.api.v1.ArtifactService";
const blockBytes = 8 * 1024 * 1024;
const tries = 5;

/** Where the runner keeps artifacts; only an action's own process is told. */
interface Results {
  readonly origin: string;
  readonly token: string;
  readonly run: string;
  readonly job: string;
}

/**
 * Keeps files as one artifact of this run, as `@actions/artifact` does, from which the requests are taken: that package is five
 * megabytes of the bundle, and two hundred packages, for these four. A UserError where the artifact is not kept.
 */
export async function uploadArtifact(
  name: string,
  files: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const results = resultsOf(environment);
  const ids = { workflow_run_backend_id: results.run, workflow_job_run_backend_id: results.job, name };
  const created = await call(results, "CreateArtifact", { ...ids, version: 4 });
  // Protocol Buffers' JSON has both spellings of a name, and every reader takes both.
  const url = created.signed_upload_url ?? created.signedUploadUrl;
  if (typeof url !== "string") throw notKept("The service gave no address to upload to.");
  const { bytes, sha256 } = await upload(url, zipArchive(files));
  const size = String(bytes);
  await call(results, "FinalizeArtifact", { ...ids, size, hash: `sha256:${sha256}` });
}

function resultsOf(environment: NodeJS.ProcessEnv): Results {
  const { ACTIONS_RESULTS_URL: url, ACTIONS_RUNTIME_TOKEN: token, GITHUB_SERVER_URL: server } = environment;
  const host = new URL(server || "https://github.com").hostname;
  if (host !== "github.com" && !host.endsWith(".ghe.com")) {
    throw new UserError({
      what: "GitHub Enterprise Server has no artifacts of the kind that can be written here.",
      where: "backup-to: artifact",
      do: "Set backup-to to file or command.",
    });
  }
  if (!url || !token)
    throw notKept("The runner gave no address or no token (ACTIONS_RESULTS_URL, ACTIONS_RUNTIME_TOKEN).");
  const [, run, job] = scopesOf(token).find(([scope]) => scope === "Actions.Results") ?? [];
  if (run === undefined || job === undefined) throw notKept("The runner's token does not name this run.");
  return { origin: new URL(url).origin, token, run, job };
}

/** The claim `scp` of the token: scopes, each with its ids after colons. */
function scopesOf(token: string): string[][] {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const scopes = typeof claims === "object" && claims !== null && "scp" in claims ? claims.scp : "";
    return String(scopes)
      .split(" ")
      .map((scope) => scope.split(":"));
  } catch {
    return [];
  }
}

async function call(
  results: Results,
  method: string,
  body: object,
): Promise<Readonly<Record<string, unknown>>> {
  const headers = { authorization: `Bearer ${results.token}`, "content-type": "application/json" };
  const url = `${results.origin}/${service}/${method}`;
  const answer = await request(method, url, { method: "POST", headers, body: JSON.stringify(body) });
  const said = JSON.parse(answer) as Readonly<Record<string, unknown>>;
  if (said.ok !== true) throw notKept(`${method} was refused.`);
  return said;
}

/** A block blob: its blocks in turn, then the list of them, without which there is none (Azure's Put Block List). */
async function upload(
  url: string,
  archive: AsyncIterable<Buffer>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  const ids: string[] = [];
  let bytes = 0;
  const put = async (block: Buffer) => {
    const id = Buffer.from(String(ids.length).padStart(10, "0")).toString("base64");
    ids.push(id);
    hash.update(block);
    bytes += block.length;
    await request("Put Block", withQuery(url, { comp: "block", blockid: id }), {
      method: "PUT",
      body: new Uint8Array(block),
    });
  };
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of archive) {
    held.push(chunk);
    size += chunk.length;
    if (size < blockBytes) continue;
    await put(Buffer.concat(held));
    held = [];
    size = 0;
  }
  if (size > 0) await put(Buffer.concat(held));
  const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;
  const headers = {
    "content-type": "text/plain; charset=UTF-8",
    "x-ms-blob-content-type": "application/zip",
  };
  await request("Put Block List", withQuery(url, { comp: "blocklist" }), {
    method: "PUT",
    headers,
    body: list,
  });
  return { bytes, sha256: hash.digest("hex") };
}

function withQuery(url: string, parameters: Readonly<Record<string, string>>): string {
  const full = new URL(url);
  for (const [name, value] of Object.entries(parameters)) full.searchParams.set(name, value);
  return full.href;
}

/** Again and again while the service has no time. The address has a signature: no message repeats it. */
async function request(what: string, url: string, options: RequestInit): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    let seen: string;
    try {
      const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(300_000) });
      const text = await answer.text();
      if (answer.ok) return text;
      seen = `${what}: HTTP ${answer.status} ${answer.statusText}`;
      if (answer.status < 500 && answer.status !== 429 && answer.status !== 408) throw notKept(seen);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      seen = `${what}: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
    if (attempt === tries) throw notKept(`${seen}, ${tries} times`);
    await sleep(500 * 2 ** attempt * (1 + Math.random()));
  }
}

function notKept(seen: string): UserError {
  return new UserError({
    what: "The artifact with the backup could not be kept.",
    where: "backup-to: artifact",
    seen,
    why: "There is no backup. The database was not changed.",
    do: "Run the job again; if it fails again, set backup-to to file or command.",
  });
}
