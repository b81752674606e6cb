// Bundles lib/ (made by tsc) into dist/: one file and the WebAssembly of libpg-query, which ncc does not see.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const dist = path.join(root, "dist");
const work = path.join(root, "lib", "bundle");

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
execFileSync(
  process.execPath,
  [
    require.resolve("@vercel/ncc/dist/ncc/cli.js"),
    "build",
    "lib/cli.js",
    "-o",
    work,
    "-q",
    "--license",
    "licenses.txt",
  ],
  {
    cwd: root,
    stdio: "inherit",
  },
);
const code = readFileSync(path.join(work, "index.js"), "utf8").replace(/^#!.*\n/, "");
writeFileSync(path.join(dist, "cli.js"), `#!/usr/bin/env node\n${code}`);
chmodSync(path.join(dist, "cli.js"), 0o755);
copyFileSync(path.join(work, "licenses.txt"), path.join(dist, "licenses.txt"));
copyFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"), path.join(dist, "libpg-query.wasm"));
