import type { ServerError } from "../model/statement";

/** PostgreSQL 14 says 58P01 where later versions say 0A000; a library is looked for when the extension is created or used. */
const patterns: readonly RegExp[] = [
  /^extension "([^"]+)" is not available/,
  /^could not open extension control file ".*\/([^/"]+)\.control"/,
  /^could not load library ".*?([^/"]+?)(?:\.so|\.dylib)?"/,
  /^could not access file "\$libdir\/([^"]+)"/,
  /^(?:extension )?"?([\w-]+)"? (?:must be (?:pre)?loaded|can only be loaded) ?(?:via|$|\.)/,
];

/** The extension whose files the server does not have, or has not preloaded; undefined for any other error. */
export function missingExtension(error: Pick<ServerError, "message">): string | undefined {
  for (const pattern of patterns) {
    const name = pattern.exec(error.message)?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}
