#!/usr/bin/env node
// Runs dist/ as a user has it: copied to a folder without node_modules, by each node that is named, from another folder.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
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

for (const node of nodes) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  const args = [
    "check",
    "--working-directory",
    "boards",
    "--database-url-env",
    "BOARDS_DATABASE_URL",
    "--format",
    "json",
  ];
  const run = spawnSync(node, [path.join(work, "gate", "cli.js"), ...args], {
    cwd: work,
    encoding: "utf8",
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` },
  });
  const report = run.status === 0 ? JSON.parse(run.stdout) : undefined;
  const proved = report?.steps.filter((step) => step.status === "proved").length ?? 0;
  console.log(`Node ${version}: exit ${run.status}, ${proved} steps proved`);
  if (run.status !== 0 || proved !== 44) {
    console.error(`${run.stdout}\n${run.stderr}`);
    process.exit(1);
  }
}
