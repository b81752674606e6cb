import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory and those above it that are missing; true where it was not there. Not by Node's `recursive`, which
 * never returns where a file system has no such directory and lets none be made, as /proc (Node 20.20).
 */
export function makeDirectory(path: string, mode = 0o777): boolean {
  try {
    return makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error;
    makeDirectory(parent, mode);
    return makeOne(path, mode);
  }
}

/** False where it is there; another process may have been first. */
function makeOne(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
    throw error;
  }
}
