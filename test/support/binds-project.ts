import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { flaskFiles } from "./flask-project";
import { type ProjectFiles, withPython } from "./project";

/** What a revision does to one database: lines of Python, empty for `pass`. */
export interface BindSource {
  readonly up: string;
  readonly down: string;
}

export interface BindRevision {
  readonly id: string;
  readonly down: string | readonly string[] | null;
  /** By the database's name; "" is the default one. */
  readonly binds: Readonly<Record<string, BindSource>>;
}

/** A table of its own in one database, made and dropped. */
export function tableOf(name: string, down = `op.drop_table("${name}")`): BindSource {
  return { up: `op.create_table("${name}", sa.Column("id", sa.Integer, primary_key=True))`, down };
}

export const nothing: BindSource = { up: "", down: "" };

/** An app with a database for each bind: the address of `users` comes from USERS_DATABASE_URL. */
const app = (binds: readonly string[]): string => `import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

def uri(name):
    return os.environ[name].replace("postgresql:", "postgresql+psycopg:")

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = uri("DATABASE_URL")
app.config["SQLALCHEMY_BINDS"] = {${binds.map((name) => `"${name}": uri("${variableOf(name)}")`).join(", ")}}
db = SQLAlchemy(app)
Migrate(app, db)
`;

/** The variable from which the app takes a bind's address. */
export function variableOf(name: string): string {
  return name === "" ? "DATABASE_URL" : `${name.toUpperCase()}_DATABASE_URL`;
}

/** A Flask-Migrate project as `flask db init --multidb` makes it, with revisions for these binds. */
export function bindsFiles(revisions: readonly BindRevision[], files: ProjectFiles = {}): ProjectFiles {
  const names = [...new Set(revisions.flatMap(({ binds }) => Object.keys(binds)))];
  const revisionFiles = revisions.map((each) => [`migrations/versions/${each.id}.py`, revisionFile(each)]);
  return flaskFiles({
    app: { "app.py": app(names.filter((name) => name !== "")) },
    files: {
      "migrations/env.py": templateFile("env.py"),
      "migrations/alembic.ini": templateFile("alembic.ini.mako"),
      ...Object.fromEntries(revisionFiles),
      ...files,
    },
  });
}

/** An Alembic project as `alembic init --template multidb` makes it, each address from a variable. */
export function alembicBindsFiles(revisions: readonly BindRevision[]): ProjectFiles {
  const names = Object.keys(revisions[0]?.binds ?? {});
  const addresses = names.map(
    (name) =>
      `config.set_section_option("${name}", "sqlalchemy.url", __import__("os").environ["${variableOf(name)}"].replace("%", "%%"))`,
  );
  const engines = "db_names = config.get_main_option";
  return {
    "alembic.ini": templateFile("alembic.ini.mako", "alembic", "multidb")
      // biome-ignore lint/suspicious/noTemplateCurlyInString: mako's own
      .replace("${script_location}", "%(here)s/migrations")
      .replace("databases = engine1, engine2", `databases = ${names.join(", ")}`)
      .replaceAll(/engine(?=[12])./g, (engine) => names[Number(engine.at(-1)) - 1] ?? ""),
    "migrations/env.py": templateFile("env.py", "alembic", "multidb").replace(
      engines,
      [...addresses, engines].join("\n"),
    ),
    ...Object.fromEntries(revisions.map((each) => [`migrations/versions/${each.id}.py`, revisionFile(each)])),
  };
}

/** Of a package's own template, as it is installed. */
function templateFile(name: string, of = "flask_migrate", template = "flask-multidb"): string {
  const program = `import ${of}, os; print(os.path.dirname(${of}.__file__))`;
  const home = execFileSync("python", ["-c", program], { env: withPython(), encoding: "utf8" }).trim();
  return readFileSync(join(home, "templates", template, name), "utf8");
}

function revisionFile({ id, down, binds }: BindRevision): string {
  const body = (text: string) => (text || "pass").replaceAll("\n", "\n    ");
  const functions = Object.entries(binds).map(
    ([name, source]) => `
def upgrade_${name}():
    ${body(source.up)}


def downgrade_${name}():
    ${body(source.down)}
`,
  );
  return `"""make ${id}"""
from alembic import op
import sqlalchemy as sa

revision = ${JSON.stringify(id)}
down_revision = ${down === null ? "None" : JSON.stringify(down)}
branch_labels = None
depends_on = None


def upgrade(engine_name):
    globals()["upgrade_%s" % engine_name]()


def downgrade(engine_name):
    globals()["downgrade_%s" % engine_name]()

${functions.join("\n")}`;
}
