import { posix } from "node:path";
import type { Finding } from "../model/finding";

/** PATH_MAX of Linux. */
const longestPath = 4096;

/**
 * A finding's file as GitHub names it. `workingDirectory` is the project's folder relative to the repository's root,
 * with `/`; findings are relative to it. Undefined where the file is outside the repository.
 */
export function repositoryPath(workingDirectory: string, file: string): string | undefined {
  if (file.length > longestPath) return undefined;
  const path = posix.normalize(posix.join(workingDirectory, file.replaceAll("\\", "/")));
  return posix.isAbsolute(path) || path === ".." || path.startsWith("../") ? undefined : path;
}

/** `file:line` for people, in the repository's terms. */
export function placeText(workingDirectory: string, { file, line }: Finding): string {
  if (file === undefined) return "";
  const path = repositoryPath(workingDirectory, file) ?? file;
  return line === undefined ? path : `${path}:${line}`;
}
