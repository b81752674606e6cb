/** One statement as it was replayed alone: locks in prose on relations that were there before, relations written anew. */
export interface ObservedStatement {
  readonly sql: string;
  readonly locks: readonly string[];
  readonly rewrites: readonly string[];
}

export interface ObservedRun {
  readonly statements: readonly ObservedStatement[];
  /** What stopped the upgrade, `<SQLSTATE>: <message>`. */
  readonly failure?: string;
}

export interface Observed {
  readonly bad: ObservedRun;
  readonly good: ObservedRun;
}
