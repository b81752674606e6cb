import type { MigrationTool } from "../contract";
import { bindsOf } from "./binds";
import { readFileTemplate } from "./configuration";
import { detect, open } from "./detect";
import { explainFailure } from "./failure/explain";
import { meaningOf } from "./python/meaning";
import { readBody, readOne, readRevisions } from "./read";
import { revisionFiles, revisionLine } from "./revision-names";
import { commands, mergeLine, runWords, stepBegun } from "./run";
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
  explainFailure,
};
