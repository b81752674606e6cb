import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Revision } from "../model/revision";
import type { ToolProject } from "./contract";

/**
 * Of everything beside the revisions' own text that may decide what they do: env.py, and the files of their folders.
 * Hexadecimal SHA-256 of names and bytes; revisions and what Python compiles are left out.
 */
export function environmentHash(
  project: Pick<ToolProject, "root" | "environmentFiles" | "environmentFolders">,
  revisions: readonly Pick<Revision, "location">[],
): string {
  const folders = project.environmentFolders.filter((folder) => existsSync(folder));
  const inside = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name)),
  );
  const own = new Set(revisions.map(({ location }) => path.join(project.root, location.file)));
  const hash = createHash("sha256");
  for (const file of [...new Set([...project.environmentFiles, ...inside])].sort()) {
    if (own.has(file) || /\.pyc$/.test(file) || !existsSync(file)) continue;
    const name = path.relative(project.root, file).split(path.sep).join("/");
    hash.update(`${name}\0`).update(createHash("sha256").update(readFileSync(file)).digest());
  }
  return hash.digest("hex");
}
