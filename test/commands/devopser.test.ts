import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { blames, judge, openSteps, runCheck } from "../support/gate";
import { openRepository, repositoryIn } from "../support/git";
import { copyOfExample, type Project } from "../support/project";

const defectsFolder = resolve(import.meta.dirname, "../../examples/devopser/defects");
const patchOf = (defect: string) => resolve(defectsFolder, `${defect}.patch`);

describe.concurrent("the example", () => {
  test.each(["postgresql", "postgres"])(
    "is clean, every step proved, the address as %s://",
    async (scheme) => {
      await using project = await copyOfExample("devopser");
      const { code, report, stderr } = await judge({
        cwd: project.path,
        args: ["--database-url-format", scheme],
      });
      expect({ code, stderr, findings: report.findings, open: openSteps(report) }).toEqual({
        code: 0,
        stderr: "",
        findings: [],
        open: [],
      });
      expect(report.steps).toHaveLength(22);
      expect(report.steps.every(({ judged }) => judged)).toBe(true);
    },
  );

  test("is found from a folder above, with hostile names on the way", async () => {
    await using project = await copyOfExample("devopser", { folder: "a b'c\"$(x)ü" });
    const { code, report } = await judge({ cwd: resolve(project.path, "..") });
    expect({ code, verdict: report.verdict, steps: report.steps.length }).toEqual({
      code: 0,
      verdict: "passed",
      steps: 22,
    });
  });
});

interface Expected {
  readonly exit: 0 | 1;
  /** `<severity> <rule> <revision> <object>`, the whole set. */
  readonly findings: readonly string[];
  readonly open?: readonly string[];
  /** Applied to a copy whose state before is the base. */
  readonly withBase?: true;
  /** A part of the first finding's advice or what was seen. */
  readonly tells?: string;
}

const residue = "downgrade-leaves-residue";
const waits = "not proved, it needs 85d1c63fe7a9, whose upgrade fails";

const defects: Readonly<Record<string, Expected>> = {
  "committed-revision-deleted": {
    withBase: true,
    exit: 1,
    findings: ["error fails-on-deployed -", "error revision-deleted a7e04f91d2c5"],
    tells: "Can't locate revision identified by 'a7e04f91d2c5'",
  },
  "committed-revision-edited": {
    withBase: true,
    exit: 1,
    findings: [
      "error revision-edited 1d8e42b7f063",
      "error schema-depends-on-history 1d8e42b7f063 column public.teams.name",
    ],
    tells: "-- migrations/versions/1d8e42b7f063_teams_and_services.py",
  },
  "downgrade-is-empty": {
    exit: 1,
    findings: [
      "error require-downgrade 5c92ad417e80",
      "note column-order-differs 5c92ad417e80 column order public.services",
      `note ${residue} 5c92ad417e80 column public.services.runbook_url`,
    ],
    open: ["5c92ad417e80 downgrade: failed, it does not restore the schema"],
  },
  "enum-left-by-downgrade": {
    exit: 1,
    findings: [`error ${residue} 27b90c5de1fa enum type public.environment_kind`],
    open: ["27b90c5de1fa downgrade: failed, it does not restore the schema"],
    tells: 'sa.Enum(name="environment_kind").drop(op.get_bind())',
  },
  "index-blocks-writes": {
    exit: 0,
    findings: [
      "warning require-concurrent-index-creation 74fa9e20b3c6 index ix_deployments_environment_id_deployed_at",
    ],
  },
  "two-heads": {
    exit: 1,
    findings: ["error multiple-heads c41f0a7d96e3"],
    tells: 'Merge them: flask db merge -m "merge heads" heads.',
  },
  "upgrade-raises-runtime-error": {
    exit: 1,
    findings: ["error upgrade-fails 85d1c63fe7a9"],
    open: [
      "85d1c63fe7a9 downgrade: skipped, the upgrade fails",
      "85d1c63fe7a9 upgrade: failed, the upgrade fails",
      `96c8042d5ba3 downgrade: ${waits}`,
      `96c8042d5ba3 upgrade: ${waits}`,
      `a7e04f91d2c5 downgrade: ${waits}`,
      `a7e04f91d2c5 upgrade: ${waits}`,
    ],
    tells: "The upgrade of revision 85d1c63fe7a9 raised: the table services is missing.",
  },
};

interface NotRun {
  readonly first: string;
  readonly do: string;
  readonly env?: Readonly<Record<string, string>>;
}

const notRun: Readonly<Record<string, NotRun>> = {
  "app-import-error": {
    first: 'Python does not find the module "devopser.observability".',
    do: "Install the package that has it, or set working-directory to the folder from which flask db works.",
  },
  "app-needs-a-variable": {
    first: "The environment variable DEVOPSER_SECRET_KEY is not set.",
    do: "Set it: env: DEVOPSER_SECRET_KEY=…; where it holds the database's address, database-url-env: DEVOPSER_SECRET_KEY.",
  },
  "app-not-named": {
    first: "Flask found no app: neither FLASK_APP nor --app names one, and there is no wsgi.py or app.py.",
    do: "Name the app: env: FLASK_APP=devopser, or run: flask --app devopser db; or put FLASK_APP=devopser into .flaskenv.",
  },
  "dotenv-overrides-address": {
    first:
      '"flask db current" did not connect to the shadow database, so nothing was upgraded or downgraded.',
    do: "Set database-url-env to the variable that the app (for SQLALCHEMY_DATABASE_URI) reads, or env to the variables that it joins; let the variable win over .env files (load_dotenv without override=True) and over sqlalchemy.url.",
  },
  "migrate-not-set-up": {
    env: { CI: "true" },
    first:
      'The app has no command "db": Flask-Migrate is not installed, or not set up when flask loads the app.',
    do: "Install Flask-Migrate, and let the app or its factory call Migrate(app, db) without a condition. Where it has another name (Migrate with command), set run: flask <name> (now: flask db).",
  },
  "versions-folder-missing": {
    first: "The project has no revisions.",
    do: 'Commit migrations/versions with its revisions (git add migrations/versions; look whether .gitignore names it). For a project that has none yet, write the first one, which may be empty: flask db revision -m "initial"',
  },
};

/** The base that a defect is judged against, as a setting; nothing where it is judged as a whole. */
function asChange(project: Project, defect: string): readonly string[] {
  const repository = repositoryIn(project.path);
  const base = repository.commit("base");
  openRepository(project.path).git("apply", "--whitespace=nowarn", patchOf(defect));
  repository.commit("change");
  return ["--base", base];
}

describe.concurrent("a defect", () => {
  test.each(Object.entries(defects))("%s", async (defect, { exit, findings, open = [], tells, withBase }) => {
    await using project = await copyOfExample("devopser", withBase ? {} : { defects: [defect] });
    const args = withBase ? asChange(project, defect) : [];
    const { code, report } = await judge({ cwd: project.path, args });
    expect({ code, findings: blames(report), open: openSteps(report).filter(isJudged(report)) }).toEqual({
      code: exit,
      findings,
      open: [...open],
    });
    const [first] = report.findings;
    if (tells !== undefined) expect(Object.values(first ?? {}).join("\n")).toContain(tells);
  });

  test.each(Object.entries(notRun))("%s: nothing can be judged", async (defect, expected) => {
    await using project = await copyOfExample("devopser", { defects: [defect] });
    const { code, stdout, stderr } = await runCheck({ cwd: project.path, env: { ...expected.env } });
    const lines = stderr.split("\n");
    expect({ code, stdout, first: lines[0], do: lines.find((line) => line.startsWith("do ")) }).toEqual({
      code: 2,
      stdout: "",
      first: `error: ${expected.first}`,
      do: `do    ${expected.do}`,
    });
  });

  test("is in one of the tables above, and in the README", () => {
    const patches = readdirSync(defectsFolder).flatMap((file) => /^(.+)\.patch$/.exec(file)?.[1] ?? []);
    expect([...Object.keys(defects), ...Object.keys(notRun)].sort()).toEqual(patches.sort());
    const table = readFileSync(resolve(defectsFolder, "README.md"), "utf8");
    expect([...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name)).toEqual(patches);
  });
});

/** Of a revision that the change does not touch nothing need be proved. */
function isJudged(report: { readonly steps: readonly { revision: string; judged: boolean }[] }) {
  const judged = new Set(report.steps.filter(({ judged: is }) => is).map(({ revision }) => revision));
  return (step: string) => judged.has(step.split(" ")[0] ?? "");
}

test("the merge of a target that went on is a line for flask", async () => {
  await using project = await copyOfExample("devopser");
  const repository = repositoryIn(project.path);
  repository.commit("base");
  repository.git("checkout", "-qb", "target");
  execFileSync("git", ["apply", patchOf("two-heads")], { cwd: project.path });
  repository.commit("theirs");
  repository.git("checkout", "-q", "main");
  const versions = "migrations/versions";
  const theirs = repository.git("show", `target:${versions}/c41f0a7d96e3_team_contacts.py`);
  const ours = theirs
    .replaceAll("c41f0a7d96e3", "d70b5e1f3c28")
    .replaceAll("96c8042d5ba3", "a7e04f91d2c5")
    .replaceAll("contact", "channel");
  repository.write(`${versions}/d70b5e1f3c28_team_channels.py`, ours);
  repository.commit("ours");
  const { code, report } = await judge({ cwd: project.path, args: ["--base", "target"] });
  const heads = report.findings.filter(({ rule }) => rule === "multiple-heads");
  expect({ code, advice: heads.map(({ do: advice }) => advice) }).toEqual({
    code: 1,
    advice: [
      `Merge the target into this branch. Then set down_revision = "c41f0a7d96e3" in ${versions}/d70b5e1f3c28_team_channels.py, where it is "a7e04f91d2c5". Or merge the heads: flask db merge -m "merge heads" d70b5e1f3c28 c41f0a7d96e3`,
    ],
  });
});
