import type { Operation } from "../model/operation";
import type { Revision, RevisionFunction, SqlFiles } from "../model/revision";
import { type Objection, only, type Rule, type RuleContext, usersTable } from "./rule";

export const requireDowngrade: Rule = {
  severity: "error",
  title: "Write a downgrade, or say why there is none.",
  why: "A rollback runs it and reports success, and the schema stays as it was: the next upgrade fails on what is still there.",
  do: 'Undo in downgrade() what upgrade() does. Where that cannot be, say why: raise NotImplementedError("the reason"), or # migration-gate: irreversible because <the reason>',
  aliases: ["flake8-alembic/missing-downgrade"],
  examples: {
    given: usersTable,
    bad: {
      upgrade: `op.add_column("users", sa.Column("country", sa.String(2)))`,
      downgrade: "pass",
    },
    good: {
      upgrade: `op.add_column("users", sa.Column("country", sa.String(2)))`,
      downgrade: `op.drop_column("users", "country")`,
    },
  },
  check: (context) => {
    const { revision } = context;
    if (!context.needsDowngrade) return [];
    const { downgrade } = revision;
    if (downgrade === undefined && revision.sql !== undefined) return [withoutFile(revision, revision.sql)];
    if (downgrade === undefined) {
      return [objection(revision, `Revision ${revision.id} has no function downgrade().`)];
    }
    if (downgrade.irreversible === "") {
      return [objection(revision, `Revision ${revision.id} says that it cannot be undone, and not why.`)];
    }
    if (downgrade.irreversible !== undefined || !doesNothing(downgrade.empty, context.downgrade)) return [];
    if (revision.upgrade === undefined || leavesNothing(revision.upgrade.empty, context.upgrade)) return [];
    if (revision.sql !== undefined) return [emptyFile(revision, downgrade)];
    return [
      isDataOnly(context)
        ? {
            ...objection(
              revision,
              `The downgrade of revision ${revision.id} does nothing, and upgrade() changes data.`,
            ),
            why: "A rollback runs it and reports success, and the old release meets rows as the new one left them.",
            do: "Undo the change of data, or write down why it may stay: # migration-gate: irreversible because <the reason>",
          }
        : objection(
            revision,
            `The downgrade of revision ${revision.id} does nothing, and upgrade() changes the schema.`,
          ),
    ];
  },
};

function emptyFile(revision: Revision, { file }: RevisionFunction): Objection {
  return {
    ...objection(
      revision,
      `The way back of revision ${revision.id} does nothing, and ${revision.location.file} changes the database.`,
    ),
    do: `Undo in ${file} what ${revision.location.file} does, or say in it why that cannot be: -- migration-gate: irreversible because <the reason>`,
  };
}

/** Of files of SQL, one a direction. */
function withoutFile(revision: Revision, { down, byGate }: SqlFiles): Objection {
  const { file } = revision.location;
  const missing = down ?? file.replace(/\.sql$/, ".down.sql");
  const who =
    byGate === true
      ? ` (migration-gate proves it and rollback runs it)${/\.up\.sql$/.test(file) ? "" : `, or make it reversible: ${file.replace(/\.sql$/, ".up.sql")} and .down.sql`}`
      : "";
  return {
    ...objection(revision, `Revision ${revision.id} has no way back: there is no ${missing}.`),
    why: "sqlx migrate revert passes it over, or stops at it: the schema stays as it was, and a rollback must be made up when it is needed.",
    do: `Write ${missing}${who}; or say at the top of ${file} why there is none: -- migration-gate: irreversible because <the reason>`,
  };
}

function objection(revision: Revision, what: string): Objection {
  return { at: revision.downgrade ?? revision.location, object: undefined, what };
}

/** Nothing at all, or only what leaves no trace: questions, settings, ANALYZE, a refreshed view. */
function doesNothing(isEmpty: boolean, operations: readonly Operation[]): boolean {
  return isEmpty || (operations.length > 0 && operations.every(isWithoutTrace));
}

/** Nothing that could be undone: a constraint that was validated holds for new rows as it did before. */
function leavesNothing(isEmpty: boolean, operations: readonly Operation[]): boolean {
  const other = operations.filter(({ kind }) => kind !== "validateConstraint");
  return isEmpty || (operations.length > 0 && other.every(isWithoutTrace));
}

function isWithoutTrace({ kind }: Operation): boolean {
  return kind === "noTrace" || kind === "refreshView";
}

function isDataOnly({ upgrade }: RuleContext): boolean {
  const changes = upgrade.filter(({ kind }) => kind !== "noTrace");
  return changes.length > 0 && only(changes, "dataChange").length === changes.length;
}
