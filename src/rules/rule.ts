import type { Severity } from "../model/finding";
import type { Operation } from "../model/operation";
import type { Revision, SourceLocation } from "../model/revision";

/** All that a rule may read of one revision. */
export interface RuleContext {
  readonly revision: Revision;
  /** False at the floor and below it, where no downgrade is asked for. */
  readonly needsDowngrade: boolean;
  /** What upgrade() does to objects that were there before the revision, in its order. */
  readonly operations: readonly Operation[];
  /** All that upgrade() does, also to what it makes itself. */
  readonly upgrade: readonly Operation[];
  readonly downgrade: readonly Operation[];
}

/** One place that a rule objects to. */
export interface Objection {
  readonly at: SourceLocation;
  /** `<kind> <name>`, e.g. `column users.email`; undefined where it is about no object. */
  readonly object: string | undefined;
  /** One sentence with the object's name. */
  readonly what: string;
  /** Where the rule's own reason does not fit. */
  readonly why?: string;
  /** Where the rule's own advice does not fit. */
  readonly do?: string;
}

/** A revision as a person writes it: the bodies of its functions. */
export interface ExampleRevision {
  readonly upgrade: string;
  readonly downgrade: string;
}

/** A lint rule: data, and one function that does no I/O. Its id is the name of its file. */
export interface Rule {
  readonly severity: Severity;
  /** What to do or not to do, as a sentence. */
  readonly title: string;
  readonly why: string;
  /** Can be pasted or set. */
  readonly do: string;
  /** The same for a file of SQL (SQLx), where `do` speaks of Alembic's calls. */
  readonly doInSql?: string;
  /** What other tools call it. */
  readonly aliases: readonly string[];
  /** Revisions that tests run on a real server: `given` first, then either of the others. */
  readonly examples: {
    readonly given: ExampleRevision;
    readonly bad: ExampleRevision;
    readonly good: ExampleRevision;
  };
  check(context: RuleContext): readonly Objection[];
}

export type OfKind<Kind extends Operation["kind"]> = Extract<Operation, { readonly kind: Kind }>;

/** The operations of one kind. */
export function only<Kind extends Operation["kind"]>(
  operations: readonly Operation[],
  kind: Kind,
): OfKind<Kind>[] {
  return operations.filter((operation): operation is OfKind<Kind> => operation.kind === kind);
}

/** The tables that the examples work on. */
export const usersTable: ExampleRevision = {
  upgrade: `op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(100)),
    sa.Column("visits", sa.Integer),
)
op.execute("INSERT INTO users (id, email, visits) VALUES (1, 'one@example.com', 3)")`,
  downgrade: `op.drop_table("users")`,
};
