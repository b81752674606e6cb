/** A place in a project's file. Lines and columns start at 1; the file is relative to the project's root, with `/`. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One call in a revision's function, or in a function of the same file that it calls. */
export interface RevisionCall {
  readonly line: number;
  readonly column: number;
  /** The dotted text of what is called, without inner arguments: `op.drop_index`, `sa.Enum.drop`. */
  readonly name: string;
  /** Every constant string of the call, receiver included, in source order; names of constants are looked up. */
  readonly literals: readonly string[];
}

/** A function of a revision file: where it starts, and every call to the migration API in it, in source order. */
export interface RevisionFunction extends SourceLocation {
  readonly endLine: number;
  /** True when the body does nothing: `pass`, `...`, a docstring, a bare `return`. */
  readonly empty: boolean;
  /** The reason given by `raise NotImplementedError("…")` as the only effect, "" where none is given. */
  readonly irreversible: string | undefined;
  readonly calls?: readonly RevisionCall[];
}

/** One migration and its place in the graph (Alembic's words). */
export interface Revision {
  readonly id: string;
  /** `down_revision`: none for a base, two or more for a merge point. */
  readonly parents: readonly string[];
  readonly dependsOn: readonly string[];
  readonly labels: readonly string[];
  /** Where the id is written. */
  readonly location: SourceLocation;
  readonly message: string;
  /** When it was written, as its file says it (Alembic: `Create Date:`); undefined where it does not. */
  readonly created?: string | undefined;
  readonly upgrade: RevisionFunction | undefined;
  readonly downgrade: RevisionFunction | undefined;
  /** Set where its files are SQL, one a direction, and its parent is what comes before it in order. */
  readonly sql?: SqlFiles;
}

export interface SqlFiles {
  /** The file of the downgrade, whether it is there or not; undefined where there can be none for this revision. */
  readonly down: string | undefined;
  /** True where the tool cannot run that file: the gate does, and deletes the row of the revision with it. */
  readonly byGate?: boolean;
}

export type Direction = "upgrade" | "downgrade";
