import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..", "..");

export interface BuiltAction extends AsyncDisposable {
  readonly path: string;
}

/** A folder with action.yml and dist/ as a user's `uses:` gets them, made from the sources as they are now. */
export async function buildAction(): Promise<BuiltAction> {
  const folder = mkdtempSync(join(tmpdir(), "migration-gate-action-"));
  mkdirSync(join(folder, "dist"));
  copyFileSync(join(root, "action.yml"), join(folder, "action.yml"));
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  cpSync(
    join(root, "node_modules", "libpg-query", "wasm", "libpg-query.wasm"),
    join(folder, "dist", "libpg-query.wasm"),
  );
  await build({
    entryPoints: [join(root, "src", "action.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["pg-native"],
    outfile: join(folder, "dist", "action.js"),
    logLevel: "error",
  });
  return {
    path: folder,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
