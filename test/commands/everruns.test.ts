import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testServer } from "../support/database";
import { blames, judge, openSteps } from "../support/gate";
import { openRepository, repositoryIn } from "../support/git";
import { copyOfExample } from "../support/project";

const defectsFolder = resolve(import.meta.dirname, "../../examples/everruns/defects");

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const shadow = () => ["--shadow-url", urlOf(server.address)];

test("the example is clean, every step proved but the one that says why not", async () => {
  await using project = await copyOfExample("everruns");
  const { code, report } = await judge({ cwd: project.path, args: shadow() });
  expect({ code, findings: report.findings, open: openSteps(report) }).toEqual({
    code: 0,
    findings: [],
    open: [
      "9 downgrade: skipped, irreversible: agents hang on the organization by the time anybody would take it back",
    ],
  });
  expect(report.steps).toHaveLength(24);
});

interface Expected {
  readonly exit: 0 | 1;
  /** `<severity> <rule> <revision> <object>`, the whole set. */
  readonly findings: readonly string[];
  /** A part of what is seen or advised. */
  readonly tells: string;
}

const defects: Readonly<Record<string, Expected>> = {
  "crlf-only-edit": {
    exit: 1,
    findings: ["error fails-on-deployed -", "error revision-edited 4"],
    tells: "in its line ends only (CRLF)",
  },
  "down-drops-column-before-index": {
    exit: 1,
    findings: [
      "error downgrade-fails 13",
      "warning require-concurrent-index-creation 13 index tasks_by_label",
    ],
    tells: "Correct migrations/013_task_labels.down.sql.",
  },
  "forward-only-without-reason": {
    exit: 1,
    findings: ["error require-downgrade 13"],
    tells: "Revision 13 says that it cannot be undone, and not why.",
  },
  "landed-file-deleted": {
    exit: 1,
    findings: ["error revision-deleted 12"],
    tells: "migration 12 was previously applied but is missing in the resolved migrations",
  },
  "landed-file-edited": {
    exit: 1,
    findings: ["error fails-on-deployed -", "error revision-edited 5"],
    tells: "migration 5 was previously applied but has been modified",
  },
  "reverse-leaves-enum": {
    exit: 1,
    findings: ["error downgrade-leaves-residue 2 enum type public.session_status", "error revision-edited 2"],
    tells: "Add DROP TYPE public.session_status to migrations/rollback/002.sql.",
  },
  "simple-without-reverse": {
    exit: 1,
    findings: ["error require-downgrade 13"],
    tells: "Write migrations/rollback/013.sql (migration-gate proves it and rollback runs it)",
  },
  "squash-reuses-versions": {
    exit: 1,
    findings: ["error fails-on-deployed -", "error revision-squashed 3"],
    tells: "migration 12 was previously applied but is missing in the resolved migrations",
  },
};

describe.concurrent("a defect", () => {
  test.each(Object.entries(defects))("%s", async (defect, { exit, findings, tells }) => {
    await using project = await copyOfExample("everruns");
    const repository = repositoryIn(project.path);
    repository.git("config", "core.autocrlf", "false");
    const base = repository.commit("base");
    openRepository(project.path).git(
      "apply",
      "--whitespace=nowarn",
      resolve(defectsFolder, `${defect}.patch`),
    );
    repository.commit("change");
    const { code, report } = await judge({ cwd: project.path, args: ["--base", base, ...shadow()] });
    expect({ code, findings: blames(report) }).toEqual({ code: exit, findings });
    expect(report.findings.flatMap((finding) => Object.values(finding)).join("\n")).toContain(tells);
  });

  test("is in the table above, and in the README", () => {
    const patches = readdirSync(defectsFolder).flatMap((file) => /^(.+)\.patch$/.exec(file)?.[1] ?? []);
    expect(Object.keys(defects).sort()).toEqual(patches.sort());
    const table = readFileSync(resolve(defectsFolder, "README.md"), "utf8");
    expect([...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name)).toEqual(patches);
  });
});
