// Bundles lib/ (made by tsc) into dist/: one file an entry, and the WebAssembly of libpg-query, which ncc does not see.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const dist = path.resolve(root, process.argv[2] ?? "dist");
const work = path.join(root, "lib", "bundle");

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const entry of ["cli", "action"]) {
  const code = bundle(entry);
  writeFileSync(path.join(dist, `${entry}.js`), entry === "cli" ? `#!/usr/bin/env node\n${code}` : code);
}
// The action's, made last, has every package of the command line and its own.
copyFileSync(path.join(work, "licenses.txt"), path.join(dist, "licenses.txt"));
chmodSync(path.join(dist, "cli.js"), 0o755);
copyFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"), path.join(dist, "libpg-query.wasm"));

function bundle(entry) {
  rmSync(work, { recursive: true, force: true });
  const ncc = require.resolve("@vercel/ncc/dist/ncc/cli.js");
  const args = ["build", `lib/${entry}.js`, "-o", work, "-q", "--license", "licenses.txt"];
  execFileSync(process.execPath, [ncc, ...args], { cwd: root, stdio: "inherit" });
  const code = readFileSync(path.join(work, "index.js"), "utf8").replace(/^#!.*\n/, "");
  // ncc takes a path that a call computes for a file that the program brings, and leads it into dist/.
  const moved = code.split("\n").filter((line) => line.includes("__nccwpck_require__.ab +"));
  if (moved.length > 0)
    throw new Error(`ncc moved a path; write it so that it does not see one:\n${moved.join("\n")}`);
  return code;
}
