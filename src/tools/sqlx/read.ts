import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { RevisionBody } from "../../model/operation";
import type { Revision } from "../../model/revision";
import { compareVersions } from "../../revisions/in-order";
import type { ReadProblem, ReadRevisions, ToolProject } from "../contract";
import { type MigrationName, readName } from "./migration-name";
import { bodyOf, functionOf, SqlText, simpleDowngrade } from "./sql-file";

interface Found extends MigrationName {
  /** As the project names it. */
  readonly file: string;
  readonly bytes: Buffer;
}

/** Every migration of the project's folder by its version, each with the one before it as its parent. */
export function readRevisions(project: ToolProject): ReadRevisions {
  const problems: ReadProblem[] = [];
  const found: Found[] = [];
  const reverses = new Map<string, Found>();
  for (const folder of project.revisionFolders) {
    for (const reverse of reversesIn(project, folder)) {
      if ("version" in reverse) reverses.set(reverse.version, reverse);
      else problems.push(reverse);
    }
    for (const name of namesIn(folder)) {
      const file = path.relative(project.root, path.join(folder, name)).split(path.sep).join("/");
      const read = readName(name);
      if (read === undefined || !isFile(path.join(folder, name))) continue;
      if (read === "no version") problems.push(noVersion(file));
      else found.push({ ...read, file, bytes: readFileSync(path.join(folder, name)) });
    }
  }
  const ups = found
    .filter(({ kind }) => kind !== "down")
    .sort((one, other) => compareVersions(one.version, other.version) || (one.file < other.file ? -1 : 1));
  const downs = new Map(found.filter(({ kind }) => kind === "down").map((down) => [down.version, down]));
  const bodies = new Map<Revision, () => RevisionBody>();
  const revisions = ups.map((up, index) => {
    const parent = ups.findLast((other, at) => at < index && other.version !== up.version);
    const down = (up.kind === "simple" ? reverses : downs).get(up.version);
    const byGate = up.kind === "simple" || project.words?.apply !== undefined;
    const revision = revisionOf(up, down, parent?.version, byGate);
    bodies.set(revision, () =>
      bodyOf(new SqlText(up.file, up.bytes), down && new SqlText(down.file, down.bytes)),
    );
    return revision;
  });
  const lonely = [...downs.values()].filter(({ version }) => !ups.some((up) => up.version === version));
  const idle = [...reverses.values()].filter(
    ({ version }) => !ups.some((up) => up.version === version && up.kind === "simple"),
  );
  return {
    revisions,
    problems: [...problems, ...lonely.map(withoutUp), ...idle.map(withoutSimple)],
    bodyProblems: () => [],
    body: (revision) => bodies.get(revision)?.() ?? { operations: [], remarks: [] },
  };
}

/** One file by its content; a `.down.sql` is a part of its revision. */
export function readOne(file: string, bytes: Uint8Array): Revision | undefined {
  const read = readName(file);
  if (typeof read !== "object" || read.kind === "down") return undefined;
  return revisionOf(
    { ...read, file, bytes: Buffer.from(bytes) },
    undefined,
    undefined,
    read.kind === "simple",
  );
}

/** The operations and remarks of the file of a migration, by its content. */
export function readBody(file: string, bytes: Uint8Array): RevisionBody {
  return bodyOf(new SqlText(file, bytes), undefined);
}

/** `byGate`: nothing but the gate runs the way back. */
function revisionOf(
  up: Found,
  down: Found | undefined,
  parent: string | undefined,
  byGate: boolean,
): Revision {
  const { file, version, kind, description } = up;
  const text = new SqlText(file, up.bytes);
  return {
    id: version,
    parents: parent === undefined ? [] : [parent],
    dependsOn: [],
    labels: [],
    location: { file, line: 1, column: 1 },
    message: description,
    sql: {
      down: kind === "up" ? file.replace(/\.up\.sql$/, ".down.sql") : (down?.file ?? reverseOf(file)),
      byGate,
    },
    get upgrade() {
      return functionOf(text);
    },
    get downgrade() {
      return down === undefined ? simpleDowngrade(text) : functionOf(new SqlText(down.file, down.bytes));
    },
  };
}

/** Beside the migrations, where sqlx does not look: the reverse of a simple one, which sqlx cannot take back. */
const reverseFolder = "rollback";

/** Where the reverse of this simple migration is to be: its version as its name has it. */
function reverseOf(file: string): string {
  const [version = ""] = path.posix.basename(file).split("_");
  return path.posix.join(path.posix.dirname(file), reverseFolder, `${version.replace(/^\+/, "")}.sql`);
}

function reversesIn({ root }: ToolProject, folder: string): (Found | ReadProblem)[] {
  const own = path.join(folder, reverseFolder);
  return namesIn(own)
    .filter((name) => name.endsWith(".sql") && isFile(path.join(own, name)))
    .map((name) => {
      const file = path.relative(root, path.join(own, name)).split(path.sep).join("/");
      const [, digits] = /^(-?\d{1,19})\.sql$/.exec(name) ?? [];
      if (digits === undefined) return withoutVersion(file);
      const bytes = readFileSync(path.join(own, name));
      return { version: String(BigInt(digits)), description: "", kind: "down", file, bytes };
    });
}

function withoutVersion(file: string): ReadProblem {
  const text = `${file} is no reverse of a migration: its name is to be the version alone, such as 7.sql.`;
  return { kind: "no-revision-id", file, line: 1, column: 1, text };
}

function withoutSimple({ file, version }: Found): ReadProblem {
  const text = `${file} is the reverse of version ${version}, and no simple migration has this version.`;
  return { kind: "no-revision-id", file, line: 1, column: 1, text };
}

function noVersion(file: string): ReadProblem {
  const text = `${file} has no version before its first "_": sqlx stops at it.`;
  return { kind: "no-revision-id", file, line: 1, column: 1, text };
}

function withoutUp({ file, version }: Found): ReadProblem {
  const text = `${file} is the way back of version ${version}, which has no way up.`;
  return { kind: "no-revision-id", file, line: 1, column: 1, text };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
