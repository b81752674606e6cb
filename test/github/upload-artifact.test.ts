import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { uploadArtifact } from "../../src/github/upload-artifact";
import { actRunsHere, runAct } from "../action/act";
import { messageOf } from "../support/messages";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "upload-artifact-"));
  writeFileSync(join(folder, "größe.dump.age"), randomBytes(20 * 1024 * 1024 + 17));
  writeFileSync(join(folder, "größe.dump.age.manifest.json"), "{}\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = ["größe.dump.age", "größe.dump.age.manifest.json"];
const token = `e30.${Buffer.from(JSON.stringify({ scp: "Actions.Example Actions.Results:run-1:job-2" })).toString("base64url")}.x`;

/** Python's reader checks every checksum. */
function unzipped(archive: string): Buffer[] {
  const into = mkdtempSync(join(folder, "unzipped-"));
  execFileSync("python3", ["-m", "zipfile", "-t", archive]);
  execFileSync("python3", ["-m", "zipfile", "-e", archive, into]);
  expect(readdirSync(into).sort()).toEqual(names);
  return names.map((name) => readFileSync(join(into, name)));
}

const originals = () => names.map((name) => readFileSync(join(folder, name)));

// Its server is nektos/act's own, which has the API of GitHub's.
describe.runIf(actRunsHere)("in a workflow", () => {
  test("the artifact is there, with both files", async () => {
    const repository = mkdtempSync(join(folder, "repository-"));
    const kept = mkdtempSync(join(folder, "kept-"));
    mkdirSync(join(repository, ".github", "workflows"), { recursive: true });
    const entry = join(repository, "entry.ts");
    const source = join(import.meta.dirname, "..", "..", "src", "github", "upload-artifact.ts");
    writeFileSync(
      entry,
      `import { uploadArtifact } from ${JSON.stringify(source)};
       const files = ${JSON.stringify(names.map((name) => join(folder, name)))};
       uploadArtifact("backup.dump.age", files, process.env).catch((error) => { console.log(error.parts ?? error); process.exit(1); });`,
    );
    await build({
      entryPoints: [entry],
      bundle: true,
      platform: "node",
      format: "cjs",
      outfile: join(repository, "upload.cjs"),
    });
    writeFileSync(
      join(repository, ".github", "workflows", "upload.yml"),
      `on: push\njobs:\n  upload:\n    runs-on: ubuntu-latest\n    steps:\n      - run: node ${join(repository, "upload.cjs")}\n`,
    );
    execFileSync(
      "sh",
      ["-c", "git init -q && git add . && git -c user.name=t -c user.email=t@t commit -qm x"],
      {
        cwd: repository,
      },
    );
    const run = await runAct({
      cwd: repository,
      workflow: ".github/workflows/upload.yml",
      event: "push",
      payload: {},
      token: undefined,
      apiUrl: "http://127.0.0.1:1",
      actions: {},
      words: [
        ...["-P", "ubuntu-latest=-self-hosted", "--artifact-server-path", kept],
        ...["--artifact-server-addr", "127.0.0.1", "--artifact-server-port", String(await freePort())],
      ],
    });
    expect(run.jobs, run.log).toEqual({ upload: "success" });
    const [archive] = readdirSync(kept, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".zip"),
    );
    expect(
      unzipped(join(kept, archive ?? "")).map((bytes, index) => bytes.equals(originals()[index]!)),
    ).toEqual([true, true]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Answers each request by its number: a status, and a body. */
async function serve(answer: (count: number, url: string) => readonly [status: number, body: string]) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      seen.push(`${request.method} ${request.url}`);
      const [status, body] = answer(seen.length, request.url ?? "");
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { seen, origin, [Symbol.dispose]: () => void server.close() };
}

describe("what can go wrong", () => {
  const upload = (origin: string, more: NodeJS.ProcessEnv = {}) =>
    uploadArtifact("x", [join(folder, names[1]!)], {
      ACTIONS_RESULTS_URL: origin,
      ACTIONS_RUNTIME_TOKEN: token,
      ...more,
    });

  test("a service that has no time is asked again, a refusal is told, and no signature", async () => {
    let origin = "";
    using busy = await serve((count, url) => {
      if (count === 1) return [503, ""];
      if (url.includes("Create"))
        return [200, JSON.stringify({ ok: true, signed_upload_url: `${origin}/blob?sig=s3cr3t-signature` })];
      return url.includes("blob") ? [403, "no"] : [200, '{"ok":true}'];
    });
    origin = busy.origin;
    const message = await messageOf(() => upload(origin));
    expect(message).toContain("Put Block: HTTP 403");
    expect(message).not.toContain("s3cr3t");
    expect(busy.seen.map((line) => line.split("?")[0])).toEqual([
      "POST /twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact",
      "POST /twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact",
      "PUT /blob",
    ]);
  });

  test.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ["no token", { ACTIONS_RUNTIME_TOKEN: "" }, /gave no address or no token/],
    ["a token of something else", { ACTIONS_RUNTIME_TOKEN: "e30.e30.x" }, /does not name this run/],
    ["a token that is none", { ACTIONS_RUNTIME_TOKEN: "x" }, /does not name this run/],
    ["a server of one's own", { GITHUB_SERVER_URL: "https://git.example.com" }, /Enterprise Server/],
  ])("%s", async (_, more, message) => {
    expect(await messageOf(() => upload("http://127.0.0.1:1", more))).toMatch(message);
  });
});
