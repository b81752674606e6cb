import { readFileSync } from "node:fs";
import path from "node:path";
import type { MigrationTool, ToolProject } from "../contract";
import { bindsOf } from "./binds";
import { readFileTemplate } from "./configuration";
import { detect, open } from "./detect";
import { explainFailure } from "./failure/explain";
import { meaningOf } from "./python/meaning";
import { readBody, readOne, readRevisions } from "./read";
import { revisionFiles, revisionLine } from "./revision-names";
import { commands, mergeLine, modules, runWords, stepBegun } from "./run";
import { readsVersions, versionsSql, versionTable, versionWrites } from "./version-table";

/** Alembic, tried with 1.20.1 on Python 3.11. */
export const alembic: MigrationTool = {
  name: "alembic",
  lookedFor: ["alembic.ini", "[tool.alembic] in pyproject.toml"],
  addressReader: "the project's env.py",
  detect,
  open,
  runWords,
  read: readRevisions,
  readOne,
  readBody,
  bindsOf,
  meaningOf,
  commands,
  mergeLine,
  fileTemplate: readFileTemplate,
  versionWrites,
  readsVersions,
  versionTable,
  revisionFiles,
  revisionLine,
  versionsSql,
  stepBegun,
  modules,
  explainFailure,
  whyNoRevisions,
};

/** An env.py that chooses the folders itself, one for each kind of database. */
function whyNoRevisions({
  root,
  environmentFiles,
  revisionFolders,
}: ToolProject): { seen: string; do: string } | undefined {
  const chooses = environmentFiles.find((file) => setsLocations(path.resolve(root, file)));
  if (chooses === undefined) return undefined;
  return {
    seen: `Looked in ${revisionFolders.join(", ")}; ${chooses} sets version_locations itself, which is known only when it runs.`,
    do: "Write the folder of the PostgreSQL revisions into the configuration: version_locations = …",
  };
}

function setsLocations(file: string): boolean {
  try {
    return readFileSync(file, "utf8").includes("version_locations");
  } catch {
    return false;
  }
}
