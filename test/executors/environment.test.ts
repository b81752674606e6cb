import { expect, test } from "vitest";
import { childEnvironment, recorderVariables } from "../../src/executors/environment";

const always = { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1", NO_COLOR: "1" };

test.each<[name: string, value: string]>([
  ["PGHOST", "db"],
  ["PGSERVICEFILE", "/home/me/.pg_service.conf"],
  ["PGSSLMODE", "require"],
  ["DATABASE_URL", "postgresql+asyncpg://u:p@db/prod"],
  ["database_url", "postgres://db/prod"],
  ["TEST_DATABASE", "MySQL+PyMySQL://db/prod"],
  ["JDBC", "jdbc:sqlserver://db:1433"],
  ["CONFIG", '{"default": "mariadb+mariadbconnector://db/prod"}'],
  ["SETTINGS", "a=1\nurl=mongodb+srv://db/prod"],
  ["LOCAL_URI", "sqlite:///app.db"],
  ["APP_DSN", "host=db dbname=prod"],
  ["LIBPQ", "host=db dbname=prod"],
  ["CONN", "dbname = prod user=me"],
  ["WITH_SERVICE", "service=prod sslmode=require"],
  ["ODBC", "Driver={ODBC Driver 18};Server=db,1433;Database=prod;UID=sa;PWD=x"],
  ["ADO", "Server=db;Initial Catalog=prod;Password=x"],
  ["UNKNOWN_URL", "exotic-db://db/prod"],
  ["BARE_URL", "db.example:5432/prod"],
  ["DATABASE_URL_FILE", "/run/secrets/database_url"],
  ["POSTGRES_PASSWORD", "x"],
  ["MYSQL_ROOT_PASSWORD", "x"],
  ["DB_HOST", "db"],
  ["BOARDS_DATABASE_PASSWORD_FILE", "/run/secrets/x"],
  ["APP__DATABASE__HOST", "db"],
  ["SQLALCHEMY_DATABASE_URI", "postgresql://db/prod"],
])("removed: %s=%s", (name, value) => {
  expect(childEnvironment({ [name]: value }, {})).toEqual({ env: always, removed: [name] });
});

test.each<[name: string, value: string]>([
  ["PATH", "/usr/bin"],
  ["HOME", "/home/me"],
  ["PIP_INDEX_URL", "https://packages.example/simple"],
  ["UV_DEFAULT_INDEX", "https://packages.example/simple"],
  ["GITHUB_API_URL", "https://api.github.com"],
  ["SENTRY_DSN", "https://key@sentry.example/1"],
  ["REDIS_URL", "redis://cache/0"],
  ["BROKER_URL", "amqp://broker"],
  ["CONFIG_URI", "file:///etc/app.toml"],
  ["STATIC_URL", "/static/"],
  ["EMPTY_URL", ""],
  ["DB_POOL_SIZE", "5"],
  ["DATABASE_ECHO", "true"],
  ["PGP_KEY", "x"],
  ["CURL", "x"],
  ["COMMAND", "ssh -o user=me -p port=1"],
  ["WITH_NEWLINE", "a\nb"],
])("kept: %s=%s", (name, value) => {
  expect(childEnvironment({ [name]: value }, {})).toEqual({ env: { ...always, [name]: value }, removed: [] });
});

test("ours win, are not told as removed, and the runner's inputs are not passed on", () => {
  const parent = {
    DATABASE_URL: "postgresql://prod",
    Z_URL: "x",
    PGUSER: "prod",
    "INPUT_SHADOW-URL": "postgresql://u:p@h/d",
    ACTIONS_RUNTIME_TOKEN: "t",
    MIGRATION_GATE_GITHUB_TOKEN: "t",
    MIGRATION_GATE_DATABASE_URL: "prod",
    GITHUB_TOKEN: "t",
    GH_ENTERPRISE_TOKEN: "t",
    GITHUB_ENTERPRISE_TOKEN: "t",
    UNSET: undefined,
    NO_COLOR: "",
  };
  const recorder = recorderVariables({ host: "h", port: 1, user: "u", password: "p", database: "d" });
  expect(childEnvironment(parent, { ...recorder, DATABASE_URL: "postgresql://ours" })).toEqual({
    env: {
      ...always,
      PGHOST: "h",
      PGPORT: "1",
      PGUSER: "u",
      PGPASSWORD: "p",
      PGDATABASE: "d",
      PGPASSFILE: "/dev/null",
      PGSERVICEFILE: "/dev/null",
      PGSSLMODE: "disable",
      PGGSSENCMODE: "disable",
      DATABASE_URL: "postgresql://ours",
    },
    removed: ["Z_URL"],
  });
});
