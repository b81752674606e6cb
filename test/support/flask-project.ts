import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { alembicFiles, type ProjectFiles, type RevisionSource } from "./project";

const example = resolve(import.meta.dirname, "../../examples/devopser/migrations");

export interface FlaskProject {
  readonly revisions?: readonly RevisionSource[];
  /** The app's file by its path; without it, app.py. */
  readonly app?: ProjectFiles;
  /** The folder of the migrations, where it is not `migrations`. */
  readonly directory?: string;
  readonly files?: ProjectFiles;
}

/** A module with a Flask app and Flask-Migrate, its address from DATABASE_URL. */
export const flaskApp = (migrate = "Migrate(app, db)"): string => `import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
db = SQLAlchemy(app)
${migrate}
`;

/** The files of a small Flask-Migrate project with the example's env.py. */
export function flaskFiles({
  revisions = [],
  app,
  directory = "migrations",
  files,
}: FlaskProject): ProjectFiles {
  const plain = Object.entries(alembicFiles({ revisions })).filter(([file]) =>
    file.startsWith("migrations/versions/"),
  );
  return {
    ...Object.fromEntries(plain.map(([file, text]) => [file.replace("migrations", directory), text])),
    [`${directory}/alembic.ini`]: readFileSync(join(example, "alembic.ini"), "utf8"),
    [`${directory}/env.py`]: readFileSync(join(example, "env.py"), "utf8"),
    ...(app ?? { "app.py": flaskApp() }),
    ...files,
  };
}

/** A revision that makes and drops a table of its own. */
export function table(id: string, down: string | null, more: Partial<RevisionSource> = {}): RevisionSource {
  return {
    id,
    down,
    upgrade: `op.create_table("t_${id}", sa.Column("id", sa.Integer, primary_key=True))`,
    downgrade: `op.drop_table("t_${id}")`,
    ...more,
  };
}
