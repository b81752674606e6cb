#!/usr/bin/env node
// Runs dist/ as a user has it: copied to a folder without node_modules, by each node that is named, from another folder.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pythonEnvironment } from "./python-environment.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const nodes = process.argv.slice(2).length > 0 ? process.argv.slice(2) : [process.execPath];
const bin = await pythonEnvironment();
const work = realpathSync(mkdtempSync(path.join(tmpdir(), "migration-gate-dist-")));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
chmodSync(work, 0o755);
cpSync(path.join(root, "dist"), path.join(work, "gate"), { recursive: true });
cpSync(path.join(root, "examples", "boards"), path.join(work, "boards"), { recursive: true });

const environment = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
for (const node of nodes) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  const run = start(node, "cli.js", [
    "check",
    "--working-directory",
    "boards",
    "--database-url-env",
    "BOARDS_DATABASE_URL",
    "--format",
    "json",
  ]);
  const report = run.status === 0 ? JSON.parse(run.stdout) : undefined;
  const proved = report?.steps.filter((step) => step.status === "proved").length ?? 0;
  console.log(`Node ${version}: exit ${run.status}, ${proved} steps proved`);
  if (run.status !== 0 || proved !== 44) fail(run);

  const output = path.join(work, "output");
  const summary = path.join(work, "summary");
  for (const file of [output, summary]) writeFileSync(file, "");
  const action = start(node, "action.js", [], {
    "INPUT_WORKING-DIRECTORY": "boards",
    "INPUT_DATABASE-URL-ENV": "BOARDS_DATABASE_URL",
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    RUNNER_TEMP: work,
  });
  const told = /^verdict<<.*\npassed$/m.test(readFileSync(output, "utf8"));
  console.log(
    `Node ${version}: the action's exit ${action.status}, ${told ? "verdict passed" : "no verdict"}`,
  );
  if (action.status !== 0 || !told || !readFileSync(summary, "utf8").includes("44 proved")) fail(action);
}

function start(node, entry, args, more = {}) {
  return spawnSync(node, [path.join(work, "gate", entry), ...args], {
    cwd: work,
    encoding: "utf8",
    env: { ...environment, ...more },
  });
}

function fail({ stdout, stderr }) {
  console.error(`${stdout}\n${stderr}`);
  process.exit(1);
}
