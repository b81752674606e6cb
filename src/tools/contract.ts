import type { RevisionBody } from "../model/operation";
import type { Revision, SourceLocation } from "../model/revision";

/** One word a tool, as the setting `tool` takes it. */
export type ToolName = "alembic" | "flask-migrate" | "sqlx" | "numbered-sql";

/** A folder that looks like a tool's project; nothing in it was read beyond what it took to see that. */
export interface ProjectCandidate {
  readonly tool: ToolName;
  /** Absolute: where the tool's commands run. File names of revisions are relative to it. */
  readonly root: string;
  /** The file that makes it a project, relative to the root, with `/`. */
  readonly config: string;
}

/** A project that was opened: its settings make sense and its folders are there. */
export interface ToolProject extends ProjectCandidate {
  /** The section of the configuration, where the tool has several (`alembic -n`); undefined for the usual one. */
  readonly section: string | undefined;
  /** Absolute; files of revisions are in these folders, or below them where `recursive`. */
  readonly revisionFolders: readonly string[];
  readonly recursive: boolean;
  /** Absolute: files that say where the revisions are; not all of them need be there. */
  readonly configFiles: readonly string[];
  /** Absolute: files that decide how every revision runs. */
  readonly environmentFiles: readonly string[];
  /** Absolute folders of what revisions may read beside themselves: SQL files, helpers, data. */
  readonly environmentFolders: readonly string[];
  /** Where it is known that no step of this project can be proved, though its files can be read: why. */
  readonly unprovable?: Unprovable | undefined;
  /** Of a program of the project's own, where the settings name one. */
  readonly words?: OwnWords | undefined;
  /** Folders, relative to the root, of migrations that are no part of the project and write the same version table. */
  readonly otherSources?: readonly string[] | undefined;
  /** As `bindsOf` says, once the project was found. */
  readonly binds?: readonly string[] | undefined;
  /** The one that is judged; undefined where there is one database, or nothing says which. */
  readonly bind?: ChosenBind;
  /** What the settings say of them, for the same project in another checkout. */
  readonly bindWish?: BindWish;
}

/** Words that a program takes instead of the tool's own, after those of `run`. */
export interface OwnWords {
  /** Applies all that is pending; it can neither be told where to stop nor go back. */
  readonly apply: readonly string[] | undefined;
  /** Changes nothing. */
  readonly status: readonly string[] | undefined;
}

/** One of several databases that one start of the tool migrates. */
export interface Bind {
  /** As the project calls it; "" is the default one. */
  readonly name: string;
  /** The variable from which the project reads its address. */
  readonly variable: string;
}

/** The database that is judged, and those that the tool migrates with it. */
export interface ChosenBind {
  readonly name: string;
  readonly others: readonly Bind[];
}

/** What the settings say of several databases. */
export interface BindWish {
  /** The one to judge; undefined for the default one. */
  readonly chosen: string | undefined;
  /** The variable of each one's address. */
  readonly variables: ReadonlyMap<string, string>;
}

/** Parts of a message: the fact, and what can be done. */
export interface Unprovable {
  readonly what: string;
  /** A few words, for each step. */
  readonly reason: string;
  readonly do: string;
}

/** A file that the tool would stop at, or that could not be read to its end. */
export interface ReadProblem extends SourceLocation {
  /**
   * - no-revision-id: the tool takes the file for a revision and finds no id.
   * - not-a-constant: `name` is computed; its value is known only when the file runs.
   * - illegal-id: the tool refuses the id.
   * - syntax: the file does not parse here, or its bytes are not text; what was read of it may be incomplete.
   */
  readonly kind: "no-revision-id" | "not-a-constant" | "illegal-id" | "syntax";
  /** One sentence, a fact without advice. */
  readonly text: string;
}

export interface ReadRevisions {
  /** In the order of folders and file names; duplicate ids are all there. */
  readonly revisions: readonly Revision[];
  readonly problems: readonly ReadProblem[];
  /** What is wrong in the rest of a revision's file, which is parsed only when it is asked for. */
  bodyProblems(revision: Revision): readonly ReadProblem[];
  /**
   * What the revision's file says beyond its functions; parsed when it is asked for. `libpg-query`'s loadModule() must
   * have resolved before.
   */
  body(revision: Revision): RevisionBody;
}

/** Arguments that follow the words of the run command. */
export interface ToolCommands {
  readonly current: readonly string[];
  /** Writes the revision that follows it into the version table; undefined where the tool has no such command. */
  readonly stamp: readonly string[] | undefined;
  /** Undefined where the program goes to the newest revision only, and the target is another one. */
  upgrade(target: string): readonly string[] | undefined;
  /** Undefined where the program cannot go back. */
  downgrade(target: string): readonly string[] | undefined;
}

export interface VersionTable {
  readonly schema?: string | undefined;
  readonly table: string;
}

/** A statement that writes the version table. "other": it may (TRUNCATE, ALTER, DO, COPY, a CTE); its content tells. */
export interface VersionWrite {
  readonly verb: "create" | "insert" | "update" | "delete" | "drop" | "other";
  /** As it stands in the statement; undefined where it leaves the schema to search_path. */
  readonly schema: string | undefined;
  readonly table: string;
}

export interface ToolFailure {
  /** environment: the tool could not do its work. migration: a revision's own code or statement failed. */
  readonly kind: "environment" | "migration";
  /** One sentence that names the cause. */
  readonly summary: string;
  /** What to set or install. */
  readonly do: string;
  /** Where it is known: as the tool printed it, relative to the project's root where it lies inside. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  /** The revision that stopped, where the tool itself names it. */
  readonly revision?: string;
  /** The end of the output, without terminal codes and frames of libraries, at most 15 lines. */
  readonly lastLines: readonly string[];
}

export interface ToolOutput {
  /** Standard output and error in the order in which they came. */
  readonly text: string;
  /** Null when a signal ended it, undefined when it did not start. */
  readonly exitCode: number | null | undefined;
}

/** The version table of a tool with a row for each applied revision. */
export interface VersionRows {
  /** A SELECT of three columns: the id as text, whether it ended well, the checksum as hexadecimal text. */
  sql(table: VersionTable): string;
  /** What a file's bytes are to the checksum of what was applied. */
  compare(bytes: Uint8Array, checksum: string): "same" | "line ends" | "different";
  /** The statement that deletes the row of this revision. */
  deletion(table: VersionTable, id: string): string;
  /** The statement that writes the row of this revision as if the tool had applied these bytes. */
  insertion(table: VersionTable, revision: Pick<Revision, "id" | "message">, bytes: Uint8Array): string;
  /** The key of the session's advisory lock that the tool's library takes while it migrates this database. */
  libraryLock(database: string): string;
}

/** All that the project knows of one migration tool. */
export interface MigrationTool {
  readonly name: ToolName;
  /** What `detect` looks for, in words of a message. */
  readonly lookedFor: readonly string[];
  /** The project in this very folder; undefined when there is none of this tool. Reads no further. */
  detect(folder: string, config?: string): ProjectCandidate | undefined;
  /**
   * Reads the configuration. UserError where it is broken, with file and line. A tool that takes no `otherSources`
   * leaves them out of the project.
   */
  open(candidate: ProjectCandidate, section?: string, otherSources?: readonly string[]): ToolProject;
  /** The same tool as this project's own configuration has it; absent where it is the same for all. */
  forProject?(project: ToolProject): MigrationTool;
  /** The words that start the tool in this project: the setting `run`, else what the project's lock file says. */
  runWords(project: ToolProject, run?: string, path?: string): readonly string[];
  /** Every revision; a file that cannot be read is a problem, never an exception. */
  read(project: ToolProject): ReadRevisions;
  /** One file by its content, which may come from a commit, as far as it concerns that database; undefined where the tool takes it for no revision. */
  readOne(file: string, bytes: Uint8Array, bind?: string): Revision | undefined;
  /** What such a file says of its operations; of SQL files those of this one. loadModule() must have resolved, as for `body`. */
  readBody(file: string, bytes: Uint8Array, bind?: string): RevisionBody;
  /** The databases that one start migrates, "" the default one; undefined for one. Absent where there cannot be more. */
  bindsOf?(project: ToolProject, read: () => Pick<ReadRevisions, "revisions">): readonly string[] | undefined;
  commands(project: ToolProject): ToolCommands;
  /**
   * The line that a person types to join these heads, `heads` for all of them, by a revision of this id where one is
   * given; `run` is the setting. Absent where there are none.
   */
  mergeLine?(project: ToolProject, heads: readonly string[], run?: string, id?: string): string;
  /** How the project names the files of new revisions, as Alembic's `file_template`; undefined where it does not say. */
  fileTemplate?(project: ToolProject): string | undefined;
  /** What a project without any revision lacks; undefined where the tool knows no more than anyone. */
  whyNoRevisions?(project: ToolProject): { readonly seen: string; readonly do: string } | undefined;
  /**
   * Every write of the version table in one SQL text, in order. Without `table` a statement is recognised by the
   * columns that only the tool's own statements have; with it every write of that table is.
   * `libpg-query`'s loadModule() must have resolved before the first call.
   */
  versionWrites(sql: string, table?: VersionTable): readonly VersionWrite[];
  /** True for a statement by which the tool's status command looks for the version table or reads it. */
  readsVersions(sql: string): boolean;
  /**
   * Python modules of the tool and of libraries that its every start loads, none of a project's; loading them does nothing
   * else. Absent where it is no Python program.
   */
  readonly modules?: readonly string[];
  /** How its program is installed, by the program's name, where a project's own requirements do not have it. */
  readonly installedBy?: Readonly<Record<string, string>>;
  /** What of the project reads the database's address, in words of a message. */
  readonly addressReader: string;
  /** The version table's usual name, its column of ids, and all of its columns where it has more. */
  readonly versionTable: {
    readonly name: string;
    readonly column: string;
    readonly columns?: readonly string[];
    /** What the project's own configuration names. */
    readonly given?: VersionTable;
  };
  /** A line of a file that has this revision, as a POSIX extended regular expression. */
  revisionLine(id: string): string;
  /** Of a tool that writes a row for each revision it applied. */
  readonly rows?: VersionRows;
  /**
   * Whether the tool takes one file for the other when it compares the bytes of what it applied; absent where it
   * compares none.
   */
  sameBytes?(one: Uint8Array, other: Uint8Array): boolean;
  /**
   * What a revision's file means, as a text that formatting and comments do not change; undefined where it cannot be told.
   * Absent where every byte counts.
   */
  meaningOf?(bytes: Uint8Array): string | undefined;
  /** Names that the file of this revision may have, as patterns of git's. */
  revisionFiles(id: string): readonly string[];
  /** A SELECT of one text column, the ids in the version table, sorted. */
  versionsSql(table: VersionTable): string;
  /** The revision whose step a line of the tool's output says to begin; undefined for any other line. */
  stepBegun(line: string): string | undefined;
  explainFailure(output: ToolOutput, project?: ToolProject): ToolFailure;
}
