import type { Direction, SourceLocation } from "./revision";

/** A name as it stands in the source; without a schema search_path decides. */
export interface QualifiedName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** A type by PostgreSQL's own name, e.g. `int8`, `varchar`, `timestamptz`; modifiers as `varchar(20)` has them. */
export interface ColumnType {
  readonly name: string;
  readonly modifiers: readonly number[];
  readonly array: boolean;
}

/**
 * What fills a column. "constant" and "stable" are evaluated once for all rows, "volatile" once a row; "unknown" is an
 * expression of which neither is known.
 */
export type ColumnDefault =
  | "none"
  | "constant"
  | "stable"
  | "volatile"
  | "identity"
  | "generated"
  | "unknown";

export interface NewColumn {
  readonly name: string;
  /** Undefined where it is not known without running the file. */
  readonly type: ColumnType | undefined;
  readonly nullable: boolean;
  readonly default: ColumnDefault;
}

export type ConstraintKind = "foreignKey" | "check" | "unique" | "primaryKey" | "exclude";

export interface NewConstraint {
  readonly kind: ConstraintKind;
  readonly name: string | undefined;
  /** Of a check those that it names; empty where they are not known. */
  readonly columns: readonly string[];
  /** True for NOT VALID: rows that are there are not looked at. */
  readonly notValid: boolean;
  /** True where an index that exists already becomes the constraint's. */
  readonly usingIndex: boolean;
  /** True where the server need not look at rows: a foreign key in ADD COLUMN without a default. */
  readonly trivial: boolean;
  /** The column of a check that is `column IS NOT NULL` and nothing else. */
  readonly notNullColumn: string | undefined;
}

/** Of what may be there already. */
interface Perhaps {
  /** Only there for IF NOT EXISTS. */
  readonly ifNotExists?: true;
}

/** What happens to a schema or to data, without the place where it is written. */
export type Change =
  | ({
      readonly kind: "createTable";
      readonly table: QualifiedName;
      readonly columns: readonly NewColumn[];
    } & Perhaps)
  | { readonly kind: "dropTable"; readonly table: QualifiedName }
  /** With all that is in it: CASCADE. */
  | { readonly kind: "dropSchema"; readonly schema: string }
  | { readonly kind: "renameTable"; readonly table: QualifiedName; readonly to: QualifiedName }
  | ({ readonly kind: "addColumn"; readonly table: QualifiedName; readonly column: NewColumn } & Perhaps)
  | { readonly kind: "dropColumn"; readonly table: QualifiedName; readonly column: string }
  | {
      readonly kind: "renameColumn";
      readonly table: QualifiedName;
      readonly column: string;
      readonly to: string;
    }
  | {
      readonly kind: "changeType";
      readonly table: QualifiedName;
      readonly column: string;
      /** Undefined where the source does not say. */
      readonly from: ColumnType | undefined;
      readonly to: ColumnType | undefined;
      /** True for USING with more than the column itself. */
      readonly computed: boolean;
    }
  | {
      readonly kind: "changeNullable";
      readonly table: QualifiedName;
      readonly column: string;
      readonly nullable: boolean;
    }
  | {
      readonly kind: "changeDefault";
      readonly table: QualifiedName;
      readonly column: string;
      readonly default: ColumnDefault;
    }
  | ({
      readonly kind: "createIndex";
      readonly index: string | undefined;
      readonly table: QualifiedName;
      readonly unique: boolean;
      readonly concurrently: boolean;
      /** Only there for ON ONLY: of a partitioned table, nothing is built. */
      readonly parentOnly?: true;
    } & Perhaps)
  | { readonly kind: "dropIndex"; readonly index: QualifiedName; readonly concurrently: boolean }
  | { readonly kind: "addConstraint"; readonly table: QualifiedName; readonly constraint: NewConstraint }
  | {
      readonly kind: "dropConstraint";
      readonly table: QualifiedName;
      readonly constraint: string | undefined;
    }
  | { readonly kind: "validateConstraint"; readonly table: QualifiedName; readonly constraint: string }
  | {
      readonly kind: "detachPartition";
      readonly table: QualifiedName;
      readonly partition: QualifiedName;
      readonly concurrently: boolean;
    }
  | ({ readonly kind: "createMaterializedView"; readonly view: QualifiedName } & Perhaps)
  | { readonly kind: "refreshView"; readonly view: QualifiedName; readonly concurrently: boolean }
  /** Writes the table anew by its nature; `how` is the command, e.g. "SET UNLOGGED". */
  | { readonly kind: "rewriteTable"; readonly table: QualifiedName; readonly how: string }
  | { readonly kind: "createType"; readonly type: QualifiedName }
  | { readonly kind: "dropType"; readonly type: QualifiedName }
  | { readonly kind: "addEnumValue"; readonly type: QualifiedName; readonly value: string }
  | {
      readonly kind: "dataChange";
      readonly verb: "insert" | "update" | "delete" | "truncate" | "merge";
      readonly table: QualifiedName | undefined;
      /** False for UPDATE and DELETE of every row, also where WHERE is always true. */
      readonly limited: boolean;
    }
  /** Reads, settings, ANALYZE: nothing of it stays. */
  | { readonly kind: "noTrace"; readonly sql: string }
  /** SQL that was parsed and has no kind of its own here. */
  | { readonly kind: "otherSql"; readonly statement: string }
  /** What cannot be known without running it; never a guess. */
  | { readonly kind: "unknown"; readonly reason: string };

/** The place where a change is written, to its last line. */
export interface OperationOrigin extends SourceLocation {
  readonly endLine: number;
  readonly direction: Direction;
}

export type Operation = Change & {
  readonly origin: OperationOrigin;
  /** True outside the tool's transaction (Alembic: autocommit_block). */
  readonly autocommit: boolean;
};

/** A comment that speaks to migration-gate: the text after `migration-gate:`. */
export interface Remark extends SourceLocation {
  readonly text: string;
  /** The lines that it speaks of, both inclusive; "file" at the top of it; undefined where nothing follows. */
  readonly covers: CoveredLines | "file" | undefined;
}

export interface CoveredLines {
  readonly from: number;
  readonly to: number;
  /** Where on those lines a statement of SQL stands, the last one excluded; without them the whole lines. */
  readonly columns?: { readonly from: number; readonly to: number };
}

/** All that a revision's file says, in source order; read when it is asked for. */
export interface RevisionBody {
  readonly operations: readonly Operation[];
  readonly remarks: readonly Remark[];
}
