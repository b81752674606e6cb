#!/usr/bin/env node
// Proves the bundled example against the embedded PostgreSQL, then shows a defect caught and mended.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pythonEnvironment } from "./python-environment.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const cli = path.join(root, "dist", "cli.js");
const defect = "enum-left-by-downgrade";

const bin = await pythonEnvironment();
const work = realpathSync(mkdtempSync(path.join(tmpdir(), "migration-gate-demo-")));
// A tool that runs as another user must be able to read it.
chmodSync(work, 0o755);
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

const project = path.join(work, "boards");
cpSync(path.join(root, "examples", "boards"), project, { recursive: true });

step("The example: 22 revisions up, down and up again");
await check(0);
step(`A change with a mistake: ${defect}`);
patch([]);
await check(1);
step("The mistake mended");
patch(["--reverse"]);
await check(0);
console.log("\nThe demo did what it should: passed, caught, passed.");

function step(text) {
  console.log(`\n==== ${text}\n`);
}

function patch(options) {
  const file = path.join(root, "examples", "boards", "defects", `${defect}.patch`);
  const result = spawnSync("git", ["apply", ...options, file], { cwd: project, stdio: "inherit" });
  if (result.status !== 0) fail(`git apply ended with ${result.status ?? result.signal}`);
}

async function check(expected) {
  const args = [cli, "check", "--working-directory", project, "--database-url-env", "BOARDS_DATABASE_URL"];
  console.log("$ migration-gate check --database-url-env BOARDS_DATABASE_URL\n");
  const child = spawn(process.execPath, args, {
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${bin}${path.delimiter}${process.env.PATH}`,
      MIGRATION_GATE_SHADOW: "embedded",
    },
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== expected) fail(`check ended with ${code}, and ${expected} was expected`);
}

function fail(text) {
  console.error(`error: ${text}`);
  process.exit(1);
}
