#!/usr/bin/env node
// The bundled example: proved, a defect caught and mended, then deployed, a failed deploy explained, backed up, restored.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { pythonEnvironment } from "./python-environment.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const cli = path.join(root, "dist", "cli.js");

const bin = await pythonEnvironment();
const work = realpathSync(mkdtempSync(path.join(tmpdir(), "migration-gate-demo-")));
// A tool that runs as another user must be able to read it.
chmodSync(work, 0o755);
const project = path.join(work, "boards");
cpSync(path.join(root, "examples", "boards"), project, { recursive: true });
const records = path.join(project, "migration-gate-records");
const rowChange = "downgrade-deletes-cards";
const backups = path.join(project, "migration-gate-backups");

process.on("exit", () => rmSync(work, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

try {
  await prove();
  await proveOnRows();
  const { connect, startShadow, urlOf } = await databaseCode();
  const server = await startShadow({ only: "embedded", onProgress: (text) => console.log(text) });
  try {
    await deploy(server, connect, urlOf);
  } finally {
    await server[Symbol.asyncDispose]();
  }
  console.log(
    "The demo did what it should: passed, caught, passed; caught on rows; applied, failed unharmed, applied; restored.",
  );
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

async function prove() {
  const defect = "enum-left-by-downgrade";
  step("The example: 22 revisions up, down and up again");
  await gate(["check"], 0);
  step(`A change with a mistake: ${defect}`);
  patch(defect);
  await gate(["check"], 1);
  step("The mistake mended");
  patch(defect, "--reverse");
  await gate(["check"], 0);
}

/** What no check on an empty database sees. */
async function proveOnRows() {
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-q", "-m", "landed");
  step(`A change that is green on an empty database, on one with history and rows: ${rowChange}`);
  patch(rowChange);
  await gate(["check", "--base", "main"], 1);
  patch(rowChange, "--reverse");
}

function git(...args) {
  const names = {
    GIT_AUTHOR_NAME: "demo",
    GIT_COMMITTER_NAME: "demo",
    GIT_AUTHOR_EMAIL: "demo@example.org",
    GIT_COMMITTER_EMAIL: "demo@example.org",
  };
  const { status, stderr } = spawnSync("git", args, {
    cwd: project,
    encoding: "utf8",
    env: { ...process.env, ...names, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  });
  if (status !== 0) throw new Error(`git ${args[0]}: ${stderr.trim()}`);
}

async function deploy(server, connect, urlOf) {
  const production = await server.createDatabase("production");
  const empty = await server.createDatabase("restored");
  const env = { BOARDS_DATABASE_URL: urlOf(production.address), RESTORE_URL: urlOf(empty.address) };
  const ask = async (database, sql) => {
    const client = await connect(database.address);
    try {
      return JSON.stringify((await client.query(sql)).rows);
    } finally {
      await client.end();
    }
  };
  const version = "SELECT version_num FROM alembic_version";

  step("Deploy: status, preflight, backup, upgrade, verify");
  await gate(["apply", "--to", "a7e5d3c19b60", "--yes"], 0, env);
  const tenants = "INSERT INTO boards.tenants (name, slug) VALUES ('Acme', 'acme'), ('Müller', 'mueller')";
  await ask(production, tenants);

  const defect = "upgrade-fails-on-missing-column";
  step(`A deploy that fails: ${defect}. Exit code 2: the database is as it was`);
  patch(defect);
  const before = await ask(production, version);
  await gate(["apply", "--yes"], 2, env);
  const after = await ask(production, version);
  expect("the version table after the failed apply", after, before);
  patch(defect, "--reverse");
  step("The mistake mended: the same command goes on where it stopped");
  await gate(["apply", "--yes"], 0, env);
  await gate(["status"], 0, env);
  expect("the number of records", readdirSync(records).filter((name) => name.startsWith("apply-")).length, 3);

  step("A backup, and its way back into an empty database");
  await gate(["backup"], 0, env);
  const file = readdirSync(backups)
    .filter((name) => name.endsWith(".dump"))
    .sort()
    .at(-1);
  const backup = path.join("migration-gate-backups", file ?? "");
  await gate(["restore", backup, "--to-env", "RESTORE_URL", "--yes"], 0, env);
  for (const sql of [version, "SELECT name, slug FROM boards.tenants ORDER BY 1"])
    expect(`restored: ${sql}`, await ask(empty, sql), await ask(production, sql));
}

function step(text) {
  console.log(`\n==== ${text}\n`);
}

function patch(defect, ...options) {
  const folder = defect === rowChange ? "changes" : "defects";
  const file = path.join(root, "examples", "boards", folder, `${defect}.patch`);
  const result = spawnSync("git", ["apply", ...options, file], { cwd: project, stdio: "inherit" });
  if (result.status !== 0) throw new Error(`git apply ended with ${result.status ?? result.signal}`);
}

function expect(what, found, expected) {
  if (found !== expected) throw new Error(`${what}: ${found}, and ${expected} was expected`);
}

/** `migration-gate <words>` in the project's folder. */
async function gate(words, expected, env = {}) {
  console.log(`$ migration-gate ${words.join(" ")}\n`);
  const child = spawn(process.execPath, [cli, ...words], {
    cwd: project,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PATH: `${bin}${path.delimiter}${process.env.PATH}`,
      MIGRATION_GATE_DATABASE_URL_ENV: "BOARDS_DATABASE_URL",
      MIGRATION_GATE_SHADOW: "embedded",
      ...env,
    },
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== expected)
    throw new Error(`migration-gate ${words[0]} ended with ${code}, and ${expected} was expected`);
  console.log("");
}

/** The gate's own code for a server and a connection. */
async function databaseCode() {
  const file = path.join(work, "database.cjs");
  await build({
    entryPoints: [path.join(root, "scripts", "demo-database.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["pg-native"],
    outfile: file,
    logLevel: "error",
  });
  return createRequire(import.meta.url)(file);
}
