import { readdirSync, readFileSync } from "node:fs";

/** Empty where it is not there or not ours: processes come and go while /proc is read. */
export function textOfFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** None where it is not there or not ours. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
