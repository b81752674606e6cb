import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Revision } from "../../model/revision";
import { linkInOrder } from "../../revisions/in-order";
import { versionWrites } from "../alembic/version-table";
import type { MigrationTool, ReadRevisions, ToolProject } from "../contract";
import { runSetting } from "../shell-words";
import { bodyOf, functionOf, SqlText } from "../sqlx/sql-file";
import { explainFailure } from "./failure";

/** The empty file that makes a folder of numbered SQL files a project of this tool, and of no other. */
const mark = ".numbered-sql";
const usualConfig = `migrations/${mark}`;
const versionTable = {
  name: "numbered_versions",
  column: "number",
  columns: ["number", "name", "applied_at"],
} as const;

/**
 * Plain SQL files `<number>_<name>.up.sql` and `.down.sql`, run by a program of the project's own. It is nobody's product:
 * docs/adding-a-tool.md walks through it, examples/numbered has the program.
 */
export const numberedSql: MigrationTool = {
  name: "numbered-sql",
  lookedFor: [usualConfig],
  addressReader: "./migrate (DATABASE_URL)",
  detect: (root, config = usualConfig) =>
    path.basename(config) === mark && existsSync(path.resolve(root, config))
      ? { tool: "numbered-sql", root, config }
      : undefined,
  open: (candidate) => ({
    ...candidate,
    section: undefined,
    revisionFolders: [path.dirname(path.resolve(candidate.root, candidate.config))],
    recursive: false,
    configFiles: [],
    environmentFiles: [],
    environmentFolders: [],
  }),
  runWords: (_, run = "./migrate") => runSetting(run, 'what starts the program, such as "./migrate"'),
  read: readRevisions,
  readOne: (file, bytes) => revisionOf(new SqlText(file, bytes), undefined),
  readBody: (file, bytes) => bodyOf(new SqlText(file, bytes), undefined),
  commands: () => ({
    current: ["status"],
    stamp: undefined,
    upgrade: (target) => ["up", ...(/^heads?$/.test(target) ? [] : [target])],
    downgrade: (target) => ["down", ...(target === "-1" ? [] : [target === "base" ? "0" : target])],
  }),
  versionWrites: (sql, table = { table: versionTable.name }) => versionWrites(sql, table),
  readsVersions: (sql) => sql.includes(versionTable.name),
  versionTable,
  // The number is in the file's name: any line will do.
  revisionLine: () => ".",
  revisionFiles: (id) => [`:(glob)**/${id}_*.up.sql`],
  // Files run in their order: the last one is the head.
  versionsSql: ({ schema, table }) =>
    `SELECT v.number::text FROM ${[...(schema === undefined ? [] : [schema]), table].map((name) => `"${name.replaceAll('"', '""')}"`).join(".")} AS v ORDER BY v.number DESC LIMIT 1`,
  stepBegun: (line) => /^(?:up|down) (\d+)_/.exec(line)?.[1],
  explainFailure,
};

function revisionOf(up: SqlText, down: SqlText | undefined): Revision | undefined {
  const [, id, name] = /(?:^|\/)([1-9]\d{0,17})_([^/]*)\.up\.sql$/.exec(up.file) ?? [];
  if (id === undefined || name === undefined) return undefined;
  return {
    id,
    parents: [],
    dependsOn: [],
    labels: [],
    location: { file: up.file, line: 1, column: 1 },
    message: name.replaceAll("_", " "),
    sql: { down: downOf(up.file) },
    upgrade: functionOf(up),
    downgrade: down && functionOf(down),
  };
}

/** Every `.up.sql` of the folder by its number, with the `.down.sql` beside it. */
function readRevisions({ root, revisionFolders: [folder = root] }: ToolProject): ReadRevisions {
  const entries = readdirSync(folder, { withFileTypes: true });
  const names = new Set(entries.flatMap((entry) => (entry.isFile() ? entry.name : [])));
  const textOf = (name: string): SqlText => {
    const full = path.join(folder, name);
    return new SqlText(path.relative(root, full).split(path.sep).join("/"), readFileSync(full));
  };
  const ups = [...names].filter((name) => name.endsWith(".up.sql"));
  const pairs = ups.map((name) => {
    const up = textOf(name);
    const down = names.has(downOf(name)) ? textOf(downOf(name)) : undefined;
    return { up, down, revision: revisionOf(up, down) };
  });
  return {
    revisions: linkInOrder(pairs.flatMap(({ revision }) => revision ?? [])),
    problems: pairs.flatMap(({ up: { file }, revision }) =>
      revision === undefined
        ? [
            {
              kind: "no-revision-id",
              file,
              line: 1,
              column: 1,
              text: `${file} has no number before its name.`,
            },
          ]
        : [],
    ),
    bodyProblems: () => [],
    body: ({ location }) => {
      const pair = pairs.find(({ up }) => up.file === location.file);
      return pair === undefined ? { operations: [], remarks: [] } : bodyOf(pair.up, pair.down);
    },
  };
}

function downOf(up: string): string {
  return up.replace(/\.up\.sql$/, ".down.sql");
}
