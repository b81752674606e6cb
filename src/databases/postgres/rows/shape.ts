/** What the catalog says of the tables that can be filled. Names are as they are, unquoted, unless it says otherwise. */
export interface DatabaseShape {
  readonly tables: readonly Table[];
  readonly types: ReadonlyMap<number, TypeShape>;
  readonly sequences: readonly Sequence[];
  /** True where row security does not bind the session's role: a superuser, or BYPASSRLS. */
  readonly bypassesRowSecurity: boolean;
  /** The database's encoding has every letter. */
  readonly isUnicode: boolean;
}

/** Quoted names, the table's and its own schema-qualified. */
export interface Sequence {
  readonly name: string;
  readonly owner: { readonly table: string; readonly column: string } | undefined;
}

export interface Table {
  readonly oid: number;
  /** Quoted and schema-qualified as in catalog keys. */
  readonly key: string;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  /** A partitioned table's leaves; without one no row can be put in. */
  readonly partitions: number;
  /** FORCE ROW LEVEL SECURITY. */
  readonly isRowSecurityForced: boolean;
  /** The session's role may read it and insert into it. */
  readonly isAllowed: boolean;
  readonly columns: readonly Column[];
  readonly checks: readonly Check[];
  readonly uniqueSets: readonly UniqueSet[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Bodies of the functions of its insert triggers. */
  readonly triggers: readonly string[];
  readonly hasUpdateTrigger: boolean;
}

export interface Column {
  readonly name: string;
  /** As in catalog keys: quoted where it must be. */
  readonly key: string;
  /** pg_attribute.attnum: increases from the first column to the last. */
  readonly number: number;
  readonly type: TypeShape;
  /** atttypmod; -1 is none. */
  readonly modifier: number;
  /** As `format_type` prints it where only pg_catalog is searched. */
  readonly typeName: string;
  /** NOT NULL of the column or of its domain. */
  readonly isRequired: boolean;
  /** Identity, or a default that takes the next value of a sequence. */
  readonly isNumbered: boolean;
  readonly default: string | undefined;
  /** A generated column: its expression and the columns that this reads. */
  readonly generated: { readonly expression: string; readonly columns: readonly string[] } | undefined;
}

export interface Check {
  /** The constraint's name; undefined for what the partitions' bounds ask. */
  readonly name: string | undefined;
  readonly expression: string;
  readonly columns: readonly string[];
}

/** A unique or exclusion constraint, or such an index. */
export interface UniqueSet {
  readonly name: string;
  /** Columns of the key and of its expressions; a generated column stands for what it is generated from. */
  readonly columns: readonly string[];
  readonly predicateColumns: readonly string[];
  readonly predicate: string | undefined;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  /** The parent as in a FROM: quoted, qualified, with ONLY where children of the parent do not count. */
  readonly parent: string;
  readonly parentKey: string;
  /** The parent's oid, or that of the partitioned table that it belongs to. */
  readonly parentRoot: number;
  /** MATCH FULL: all of its columns are NULL, or none. */
  readonly isFull: boolean;
  /** The session's role may read the parent. */
  readonly isReadable: boolean;
}

export interface TypeShape {
  readonly oid: number;
  /** pg_type.typname, e.g. `int4`. */
  readonly name: string;
  readonly kind: "base" | "enum" | "range" | "multirange" | "composite" | "domain" | "array";
  /** The element of an array, what a domain or a range is made of, the range of a multirange. */
  readonly of: TypeShape | undefined;
  /** Of a domain's base type; -1 is none. */
  readonly modifier: number;
  readonly labels: readonly string[];
  readonly attributes: readonly { readonly type: TypeShape; readonly modifier: number }[];
  readonly isRequired: boolean;
  /** A domain's CHECKs and those of the domains below it. */
  readonly checks: readonly string[];
}
