// npm run bench: bundles the measurements (TypeScript) into a temporary folder and runs them; see docs/figures.md.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { pythonEnvironment } from "../scripts/python-environment.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const python = await pythonEnvironment();
const folder = mkdtempSync(path.join(tmpdir(), "migration-gate-bench-"));
try {
  // Packages stay outside: libpg-query looks for its WebAssembly beside itself.
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  await build({
    absWorkingDir: root,
    entryPoints: {
      main: "bench/main.ts",
      sample: "bench/sample.ts",
      "exit-hook": "bench/exit-hook.ts",
      cli: "src/cli.ts",
    },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "linked",
    define: { "import.meta.dirname": JSON.stringify(here) },
  });
  const words = [process.execPath, path.join(folder, "main.mjs"), ...process.argv.slice(2)];
  const [program, ...rest] = [...slowLink(process.argv), ...words];
  const main = spawn(program, rest, {
    stdio: "inherit",
    env: { ...process.env, MIGRATION_GATE_TEST_PYTHON_BIN: python, BENCH_FOLDER: folder },
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => main.kill(signal));
  process.exitCode = await new Promise((done, fail) => {
    main.on("error", fail);
    main.on("exit", (code) => done(code ?? 1));
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** `--link=1gbit`: a network of its own, whose loopback carries no more than that; needs root, ip and tc. */
function slowLink(argv) {
  const rate = argv.find((word) => word.startsWith("--link="))?.slice("--link=".length);
  if (rate === undefined) return [];
  const script =
    'ip link set lo up && tc qdisc add dev lo root tbf rate "$0" burst 1mb latency 200ms && exec "$@"';
  return ["unshare", "--net", "sh", "-c", script, rate];
}
