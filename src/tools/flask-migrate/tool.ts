import { existsSync } from "node:fs";
import path from "node:path";
import { bindsOf } from "../alembic/binds";
import { readFileTemplate } from "../alembic/configuration";
import { meaningOf } from "../alembic/python/meaning";
import { readBody, readOne, readRevisions } from "../alembic/read";
import { revisionFiles, revisionLine } from "../alembic/revision-names";
import { modules, stepBegun } from "../alembic/run";
import { readsVersions, versionsSql, versionTable, versionWrites } from "../alembic/version-table";
import type { MigrationTool, ToolProject } from "../contract";
import { detect, open } from "./detect";
import { explainFailure } from "./failure";
import { commands, mergeLine, runWords, typedWords } from "./run";

/**
 * Flask-Migrate, which is Alembic inside of a Flask app: revisions and version table are Alembic's. Tried with 4.1.0 on
 * Flask 3.1.3, Flask-SQLAlchemy 3.1.1 and Python 3.11.
 */
export const flaskMigrate: MigrationTool = {
  name: "flask-migrate",
  lookedFor: ["Flask-Migrate's migrations/alembic.ini"],
  addressReader: "the app (for SQLALCHEMY_DATABASE_URI)",
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
  whyNoRevisions,
  versionWrites,
  readsVersions,
  versionTable,
  revisionFiles,
  revisionLine,
  versionsSql,
  stepBegun,
  modules: ["flask.cli", "flask_migrate", ...modules],
  explainFailure,
};

/** Git keeps no empty folder, and `flask db upgrade` without it does nothing and ends with 0. */
function whyNoRevisions(project: ToolProject): { seen: string; do: string } | undefined {
  const missing = project.revisionFolders.find((folder) => !existsSync(folder));
  if (missing === undefined) return undefined;
  const shown = path.relative(project.root, missing).split(path.sep).join("/");
  const start = typedWords(project).join(" ");
  return {
    seen: `There is no folder ${shown}: git keeps no empty folder, and "${start} upgrade" without it does nothing and ends with 0.`,
    do: `Commit ${shown} with its revisions (git add ${shown}; look whether .gitignore names it). For a project that has none yet, write the first one, which may be empty: ${start} revision -m "initial"`,
  };
}
