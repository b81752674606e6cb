/** Names of revisions' files, as a pattern of git's. */
export function revisionFiles(): readonly string[] {
  return ["*.py"];
}

/** The line of a revision's file that gives it this id, as a POSIX extended regular expression. */
export function revisionLine(id: string): string {
  return `^revision *(: *[A-Za-z.]+ *)?= *["']${id.replace(/[.[\]{}()*+?^$|\\]/g, "\\$&")}["']`;
}
