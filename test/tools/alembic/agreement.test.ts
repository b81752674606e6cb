import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatError, UserError } from "../../../src/errors";
import { buildGraph } from "../../../src/revisions/graph";
import { findProject } from "../../../src/tools/find-project";
import { toolNamed } from "../../../src/tools/index";
import { type AlembicReading, askAlembic } from "./alembic";
import { type OddProject, oddProjects } from "./odd-projects";

const folder = mkdtempSync(path.join(tmpdir(), "migration-gate-odd-"));
const cases = Object.entries(oddProjects).map(([name, project], index) => ({
  name,
  project,
  root: path.join(folder, `${index}`),
}));
let answers: ReadonlyMap<string, AlembicReading>;

beforeAll(() => {
  for (const { project, root } of cases) write(root, project);
  const request = cases.map(({ project, root }) => ({
    root,
    config: project.config ?? "alembic.ini",
    section: project.section ?? "alembic",
  }));
  const { projects } = askAlembic({ projects: request });
  answers = new Map(cases.map(({ name }, index) => [name, projects[index] ?? {}]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Python 3.13 leaves the tabs in a docstring that it expanded before. */
function withPlainSpace(reading: unknown): unknown {
  return JSON.parse(
    JSON.stringify(reading).replace(/"message":"[^"]*"/g, (text) => text.replace(/(?: |\\t)+/g, " ")),
  );
}

describe("read as Alembic reads it", () => {
  test.each(cases.filter(({ project }) => project.refused === undefined))(
    "$name",
    ({ name, project, root }) => {
      const { told, ...reading } = read(root, project);
      expect(withPlainSpace(reading)).toEqual(withPlainSpace(answers.get(name)));
      expect(told).toEqual(project.told ?? []);
    },
  );
});

describe("refused as Alembic refuses it", () => {
  test.each(cases.filter(({ project }) => project.refused !== undefined))(
    "$name",
    ({ name, project, root }) => {
      expect(answers.get(name)).toEqual({ error: project.refused });
      const { told } = read(root, project);
      for (const [index, words] of (project.told ?? []).entries())
        expect(told[index] ?? told[0]).toContain(words);
      expect(told.length).toBeGreaterThan(0);
    },
  );
});

interface Reading extends AlembicReading {
  readonly told: readonly string[];
}

function read(root: string, { config, section }: OddProject): Reading {
  try {
    const project = findProject(root, { config, section });
    const { revisions, problems, bodyProblems } = toolNamed(project.tool).read(project);
    const graph = buildGraph(revisions);
    const rest = revisions.flatMap((revision) => bodyProblems(revision));
    return {
      revisions: Object.fromEntries(
        revisions.map(({ id, parents, dependsOn, labels, location, message }) => [
          id,
          { parents, dependsOn, labels: [...labels].sort(), file: location.file, message },
        ]),
      ),
      heads: [...graph.heads].sort(),
      bases: [...graph.bases].sort(),
      told: [
        ...problems.map(({ kind }) => kind),
        ...rest.map(({ kind }) => kind),
        ...graph.problems.map(({ rule }) => rule),
      ],
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { told: [formatError(error)] };
  }
}

function write(root: string, { files }: OddProject): void {
  mkdirSync(root);
  for (const [name, file] of Object.entries(files)) {
    const target = path.join(root, name);
    mkdirSync(path.dirname(target), { recursive: true });
    if (typeof file === "object" && "link" in file) symlinkSync(file.link, target);
    else writeFileSync(target, file);
  }
}
