import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeStickyComment } from "../../src/github/sticky-comment";
import { runCheck } from "../support/gate";
import { alembicProject, type Project } from "../support/project";
import { type BuiltAction, buildAction } from "./built-action";
import { type DirectRun, runDirectly } from "./direct";
import { type GitHubApi, startGitHubApi } from "./github-api";

const password = "p|a'n\"t%&d+ü/Pass word";
const address = `postgresql://prod:${encodeURIComponent(password)}@db.example:5432/shop`;
const event = JSON.stringify({
  pull_request: { number: 7, head: { repo: { full_name: "acme/boards" } } },
});

/** As tools print it, made without the code under test. */
const forms: Readonly<Record<string, string>> = {
  raw: password,
  encoded: encodeURIComponent(password),
  "encoded as Python does": encodeURIComponent(password).replaceAll("'", "%27"),
  "encoded with plus": encodeURIComponent(password).replaceAll("%20", "+"),
  "encoded in lower case": encodeURIComponent(password).replace(/%../g, (code) => code.toLowerCase()),
  "in SQL": password.replaceAll("'", "''"),
  JSON: JSON.stringify(password).slice(1, -1),
  "JSON of Python": JSON.stringify(password).slice(1, -1).replaceAll("ü", "\\u00fc"),
  base64: Buffer.from(password).toString("base64"),
  "base64 of user:password": Buffer.from(`prod:${password}`).toString("base64"),
  "base64 of the address": Buffer.from(`postgresql://prod:${password}@db`).toString("base64"),
  hexadecimal: Buffer.from(password).toString("hex"),
};

/** What of them may be nowhere: of base64 in a longer text, the part that only the password decides. */
const traces = Object.entries(forms).map(([name, form]): [string, string] => [
  name,
  name.startsWith("base64 of") ? form.slice(-24, -8) : form,
]);

/** A project whose revision fails and prints all of them. */
function leakyProject(): Promise<Project> {
  const text = Buffer.from(Object.values(forms).join(" ; ")).toString("base64");
  return alembicProject({
    revisions: [
      {
        id: "a",
        down: null,
        message: "leaky",
        upgrade: `import base64\ntext = base64.b64decode("${text}").decode()\nprint(text)\nraise RuntimeError(text)`,
        downgrade: "",
      },
    ],
  });
}

describe("the action without a runner's help", () => {
  let action: BuiltAction;
  let api: GitHubApi;
  let project: Project;

  beforeAll(async () => {
    action = await buildAction();
    api = await startGitHubApi();
    project = await leakyProject();
  });
  afterAll(async () => {
    await action[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    api.fault = "none";
    api.comments = [];
    rmSync(join(project.path, ".runner"), { recursive: true, force: true });
  });

  const run = (
    env: Readonly<Record<string, string | undefined>> = {},
    inputs: Readonly<Record<string, string>> = {},
    payload = event,
  ): Promise<DirectRun> =>
    runDirectly({
      action: action.path,
      cwd: project.path,
      event: payload,
      inputs: { "github-token": "ghs_token0123456789", ...inputs },
      env: { GITHUB_API_URL: api.url, PROD_DATABASE_URL: address, ...env },
    });

  test("a planted password is in no output in any form", async () => {
    const sarif = join(project.path, "findings.sarif");
    const done = await run({}, { "sarif-file": sarif });
    expect(done.code, done.stdout + done.stderr).toBe(1);
    const masks = done.stdout.split("\n").filter((line) => line.startsWith("::add-mask::"));
    const shown = done.stdout.split("\n").filter((line) => !line.startsWith("::add-mask::"));
    const targets: Readonly<Record<string, string>> = {
      "text and annotations": shown.join("\n"),
      stderr: done.stderr,
      summary: done.summary,
      outputs: done.outputs,
      comment: api.comments.map(({ body }) => body).join("\n"),
      sarif: readFileSync(sarif, "utf8"),
      ...done.files,
    };
    expect(Object.keys(targets)).toHaveLength(7);
    const leaks = Object.entries(targets).flatMap(([target, text]) =>
      traces.filter(([, form]) => text.includes(form)).map(([name]) => `${name} in ${target}`),
    );
    expect(leaks).toEqual([]);
    for (const [target, text] of Object.entries(targets)) {
      if (!["stderr", "outputs"].includes(target)) expect(text, target).toContain("***");
    }
    const decoded = (line: string) => line.replaceAll("%25", "%");
    expect(masks.map(decoded)).toEqual(
      expect.arrayContaining(["raw", "encoded", "base64"].map((form) => `::add-mask::${forms[form]}`)),
    );
    expect(masks.filter((line) => line.length < "::add-mask::".length + 6)).toEqual([]);
  });

  test.each([["text"], ["json"]])("nor in the command line's %s report", async (format) => {
    const env = { PROD_DATABASE_URL: address };
    const { code, stdout, stderr } = await runCheck({ cwd: project.path, args: ["--format", format], env });
    expect(code, stderr).toBe(1);
    expect(traces.filter(([, form]) => `${stdout}${stderr}`.includes(form))).toEqual([]);
    expect(stdout).toContain("***");
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    [
      "an address that cannot be reached",
      [],
      { MIGRATION_GATE_SHADOW_URL: `postgresql://u:${encodeURIComponent(password)}@127.0.0.1:1/x` },
    ],
    ["an address that is malformed", [`--shadow-url=postgresql://u:${password}@127.0.0.1:1/x`], {}],
    ["an address in another setting", [`--floor=${address}`], {}],
  ])("nor in the error of %s", async (_, args, env) => {
    const { code, stdout, stderr } = await runCheck({
      cwd: project.path,
      args: ["--format=json", ...args],
      env,
    });
    expect(code, stderr).toBe(2);
    expect(traces.filter(([, form]) => `${stdout}${stderr}`.includes(form))).toEqual([]);
  });

  test("files that cannot be written become notices; the verdict stands", async () => {
    const folder = join(project.path, "folder");
    mkdirSync(folder, { recursive: true });
    const done = await run({ GITHUB_STEP_SUMMARY: folder, GITHUB_OUTPUT: folder, RUNNER_TEMP: "/nowhere" });
    expect(done.code).toBe(1);
    for (const what of ["The job summary", "The outputs", "The JSON report"]) {
      expect(done.stdout).toMatch(
        new RegExp(`^::notice title=migration-gate::${what} could not be written`, "m"),
      );
    }
    expect(api.comments).toHaveLength(1);
  });

  test.each([
    ["that is no JSON", "{"],
    ["of another shape", '{"pull_request":{"number":"7; drop","head":null}}'],
    ["that is null", "null"],
  ])("an event file %s: no comment, and the verdict stands", async (_, payload) => {
    const done = await run({}, {}, payload);
    expect(done.code, done.stdout).toBe(1);
    expect(api.comments).toEqual([]);
    expect(done.summary).toContain("migration-gate failed");
  });

  test("an event file that is missing", async () => {
    const done = await run({ GITHUB_EVENT_PATH: "/nowhere/event.json" });
    expect(done.code, done.stdout).toBe(1);
    expect(done.summary).toContain("migration-gate failed");
  });

  test("a command that there is not: exit 2, and every report says so", async () => {
    const done = await run({}, { command: "aply" });
    expect(done.code).toBe(2);
    const what = 'The action has no command "aply".';
    expect(done.stdout).toContain(`::error title=migration-gate::${what}`);
    expect(done.summary).toContain("migration-gate could not judge");
    expect(api.comments[0]?.body).toContain("migration-gate could not judge");
  });

  test("mistakes in the settings: every report has each of them", async () => {
    const done = await run({}, { history: "al", "fail-on": "fatal" });
    expect(done.code).toBe(2);
    for (const [what, advice] of [
      ['history is "al".', "Set history to all."],
      ['fail-on is "fatal".', "Set fail-on to note."],
    ]) {
      expect(done.stdout).toContain(`::error title=migration-gate::${what} ${advice}`);
      expect(done.stdout).toContain(`error: ${what}`);
      expect(done.summary).toContain(advice);
      expect(api.comments[0]?.body).toContain(advice);
    }
  });

  test.each([
    ["always", ["failed"]],
    ["on-failure", ["failed"]],
    ["off", []],
  ])("comment: %s", async (comment, expected) => {
    await run({}, { comment });
    expect(
      api.comments.map(({ body }) => /migration-gate (\w+)/.exec(body.split("\n")[1] ?? "")?.[1]),
    ).toEqual(expected);
  });

  test("an API that never answers is given up", async () => {
    api.fault = "silence";
    const sticky = {
      token: "ghs_token0123456789",
      pullRequest: { owner: "acme", repository: "boards", number: 7, readOnly: false },
      marker: "<!-- a -->",
      body: "<!-- a -->",
      create: true,
      timeLimitMs: 300,
    };
    process.env.GITHUB_API_URL = api.url;
    await import("@actions/github");
    const started = performance.now();
    await expect(writeStickyComment(sticky)).rejects.toThrow(/abort|timeout/i);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe("what a revision prints", () => {
  test("is no command to the runner", async () => {
    const lines = [
      "::set-output name=verdict::passed",
      "::add-mask::a",
      "  ::error::planted",
      "##[error]planted",
      "%0A::error::planted",
    ];
    const text = Buffer.from(lines.join("\n")).toString("base64");
    await using project = await alembicProject({
      revisions: [
        {
          id: "a",
          down: null,
          message: "::error::planted",
          upgrade: `import base64, sys\ntext = base64.b64decode("${text}").decode()\nprint(text)\nprint(text, file=sys.stderr)\nraise RuntimeError(text)`,
          downgrade: "",
        },
      ],
    });
    await using action = await buildAction();
    const done = await runDirectly({ action: action.path, cwd: project.path });
    expect(done.code).toBe(1);
    const commands = `${done.stdout}\n${done.stderr}`
      .split(/\r\n|\r|\n/)
      .filter((line) => /^\s*::|##\[/.test(line));
    const [stop] = commands.filter((line) => line.startsWith("::stop-commands::"));
    const own = new RegExp(
      `^::(?:stop-commands|${stop?.slice("::stop-commands::".length)}|debug|error title=[\\w-]+(?:,\\w+=[^:,]*)*)::`,
    );
    expect(commands.filter((line) => !own.test(line))).toEqual([]);
    expect(done.outputs).toContain("failed");
    expect(done.outputs).not.toContain("passed");
  });
});
