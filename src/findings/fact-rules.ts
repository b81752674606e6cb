/** What a rule is that has no file of its own: a fact of the graph, the history, the proof or of suppressions. */
export interface FactRule {
  /** What a finding of it says. */
  readonly says: string;
  /** Its severity, in words where it depends. */
  readonly severity: string;
  readonly why: string;
  readonly do: string;
  /** Undefined where it may be accepted with a reason; else why not. */
  readonly never: string | undefined;
}

const cannotLoad = "no step of a history that the tool cannot load can be proved";
const notSeen = "what was not seen is not known, and a check that passes without it says nothing";
const itself = "it speaks of the suppressions themselves; mend or remove the suppression";

/** Every rule id that is not a lint rule. An id never changes. */
export const factRules = {
  "downgrade-leaves-residue": {
    says: "after upgrade and downgrade an object is there, gone, or another than before",
    severity:
      "error; warning for an extension or role that nothing trips over; note where require-downgrade says it already",
    why: "The next upgrade fails on what is still there, or the old release meets a schema that it was not written for.",
    do: "Undo in downgrade() exactly what upgrade() does; the finding says which call does it.",
    never: undefined,
  },
  "downgrade-fails": {
    says: "the server or the revision's own code stopped the downgrade",
    severity: "error; note where require-downgrade says it already",
    why: "A rollback in production would stop here, with the release that needs it still broken.",
    do: 'Correct downgrade(); if it cannot be undone, say so: raise NotImplementedError("the reason").',
    never: undefined,
  },
  "upgrade-fails": {
    says: "the server or the revision's own code stopped the upgrade",
    severity: "error",
    why: "A deploy would stop here, and every revision after this one would wait.",
    do: "Correct upgrade().",
    never: "a revision that cannot be applied is never right",
  },
  "second-upgrade-fails": {
    says: "the upgrade after the downgrade stops",
    severity: "error",
    why: "After a rollback in production this revision could not be applied again.",
    do: "Correct downgrade(), so that nothing stays that the upgrade trips over.",
    never: undefined,
  },
  "second-upgrade-differs": {
    says: "the upgrade after the downgrade leads to another schema",
    severity: "error",
    why: "After a rollback and a new deploy production would have another schema than the one that was tested.",
    do: "Make upgrade() do the same whatever it finds: no IF NOT EXISTS over what downgrade() leaves.",
    never: undefined,
  },
  "revision-ends-transaction": {
    says: 'a revision ends the tool\'s transaction itself (`op.execute("COMMIT")`): what it did stays when it fails later',
    severity: "warning",
    why: "When something after it fails, what ran before is not rolled back, and the version table does not say how far it came.",
    do: "Run what cannot be in a transaction in `with op.get_context().autocommit_block():`, alone in its revision.",
    never: undefined,
  },
  "missing-extension": {
    says: "the shadow's PostgreSQL does not have an extension that the revision needs",
    severity: "error",
    why: "Nothing is known of this revision and of those that need it until it runs on a server like production's.",
    do: "Run the check with a service container of production's image (shadow-url), or install the extension's package on the machine.",
    never: notSeen,
  },
  "not-proved": {
    says: "a step was not seen as it must be; the reason is in `seen`",
    severity: "error",
    why: "What was not seen may fail in production.",
    do: "Remove what the reason names, and run the check again.",
    never: notSeen,
  },
  "fails-on-rows": {
    says: "a step of the revision fails on any table that has rows",
    severity: "error",
    why: "On an empty database it passes; in production it stops, with every revision after it.",
    do: "Give a new column a default or let it be NULL, fill it, and set NOT NULL after that.",
    never: undefined,
  },
  "may-fail-on-rows": {
    says: "a step of the revision fails on some rows (duplicates, NULL, long or odd values) and passes on others",
    severity:
      "warning; note in a downgrade, or where 100 rows or more of `seed` pass; settled by `verify-on-env`: error where production has such rows, note where it has none",
    why: "Whether production has such rows is not known here.",
    do: "Run the query that the finding shows on production; where it returns no rows, the step is safe.",
    never: undefined,
  },
  "fails-on-deployed": {
    says: "a step fails on a database that was built by the base's revisions, and not on an empty one",
    severity: "error",
    why: "Production was built by what had landed, not by what the files say now.",
    do: "Restore the landed revisions, and write what they must lead to as a new one.",
    never: "a revision that cannot be applied to what is deployed is never right",
  },
  "downgrade-loses-data": {
    says: "rows or values that were there at the new head are gone after the downgrade",
    severity: "error; note where only NULL became a default",
    why: "A rollback in production would lose them for good.",
    do: "Keep what the downgrade removes (another column, an archive table), or say why it may go: # migration-gate: allow downgrade-loses-data because …",
    never: undefined,
  },
  "upgrade-loses-data": {
    says: "rows or values are gone after the upgrade, and its downgrade does not bring them back",
    severity: "warning; note where a statement of the revision says so",
    why: "What a deploy deletes by a cascade or a cast is gone for good, and nobody was asked.",
    do: "Copy what must stay before it goes, or say why it may: # migration-gate: allow upgrade-loses-data because …",
    never: undefined,
  },
  "schema-depends-on-history": {
    says: "a database with the base's history ends with another schema than an empty one",
    severity: "error",
    why: "New databases (tests, new tenants) and production would differ from now on; no later check can see it.",
    do: "Restore what was edited, and write the change as a new revision.",
    never: undefined,
  },
  "deploy-lane-not-proved": {
    says: "the deploy lane could not be run to its end",
    severity: "note; error with require: deploy-lane",
    why: "What the change does to a database with history and rows is not known.",
    do: "What the finding says.",
    never: undefined,
  },
  "unused-row-setting": {
    says: "an entry under `rows` of migration-gate.yml names a table or column that there is not, neither before nor after the change, or a value that its column does not take",
    severity: "warning",
    why: "Whoever wrote it believes that the rows are as it says, and they are not.",
    do: "Correct it, or remove the entry.",
    never: undefined,
  },
  "column-order-differs": {
    says: "a column that is added again is last",
    severity: "note",
    why: "PostgreSQL puts a column that is added again last; only SELECT * and INSERT without column names notice.",
    do: "Nothing, unless a program relies on the order.",
    never: undefined,
  },
  "multiple-heads": {
    says: "there is more than one head",
    severity: "error",
    why: "`upgrade head` refuses to choose between them, and a deploy stops.",
    do: 'Merge them: alembic merge -m "merge heads" heads, or flask db merge -m "merge heads" heads. Or give the newer one the other as its down_revision.',
    never: undefined,
  },
  "missing-parent": {
    says: "a revision names a parent that no file has",
    severity: "error",
    why: "The history cannot be loaded: every command of the tool fails.",
    do: "Restore the file of that revision, or name the right one.",
    never: cannotLoad,
  },
  "duplicate-revision": {
    says: "two files have one id, or a label and an id are the same",
    severity: "error",
    why: "The tool uses one of the files and leaves the other out, without an error.",
    do: "Give one of them a new id, and correct the down_revision of those that follow it.",
    never: cannotLoad,
  },
  "revision-cycle": {
    says: "revisions are each other's ancestors",
    severity: "error",
    why: "The history has no beginning there: every command of the tool fails.",
    do: "Correct the down_revision of one of them.",
    never: cannotLoad,
  },
  "revision-edited": {
    says: "a revision that had landed was edited",
    severity: "error",
    why: "A database that has applied it will not run it again: it keeps what the old text made, and a new database gets the other.",
    do: "Restore the file, and write the change as a new revision.",
    never: undefined,
  },
  "revision-deleted": {
    says: "a revision that had landed was deleted, or given another id",
    severity: "error",
    why: "A database that has it as its version stops at every command of the tool.",
    do: "Restore the file, and undo what it does with a new revision.",
    never: undefined,
  },
  "revision-squashed": {
    says: "landed revisions became fewer, or their versions got other content",
    severity:
      "error; warning where a database at the newest id goes on; note where every one of `environments` can get it",
    why: "A database knows where it is by the ids of revisions, or by the bytes of SQL files: at one that is gone the tool stops.",
    do: "Keep the id of the last squashed revision and bring every database there first, or write the new id into each version table right before the deploy.",
    never: undefined,
  },
  "revision-taken-back": {
    says: "the newest revisions were removed, and none of `environments` holds them",
    severity: "note",
    why: "A database that is named nowhere, such as a developer's, stops at it until it is rolled back as well.",
    do: "Nothing; roll other databases back from a checkout that has the revision.",
    never: undefined,
  },
  "revision-out-of-order": {
    says: "a new version is below one that has landed (SQLx)",
    severity: "warning",
    why: "Databases that exist run it after the other one, new databases before it: they may end with different schemas.",
    do: "Give it a version above those that have landed.",
    never: undefined,
  },
  "revision-name-differs": {
    says: "a new revision's file is named otherwise than all that landed (file_template, `<id>_<slug>.py`, the width of SQLx versions)",
    severity: "note",
    why: "Whoever looks for a revision by its id, or reads them in their order, does not find it among the others.",
    do: "Rename the file as the others are.",
    never: undefined,
  },
  "environment-edited": {
    says: "env.py was changed and no revision is new or edited, or a file was changed that landed revisions may read",
    severity: "warning",
    why: "Every revision runs through this file; whether they still do was not tried.",
    do: "Set history to all to prove all of them with it.",
    never: undefined,
  },
  "untracked-revision": {
    says: "a revision is in a file that git does not track",
    severity: "note",
    why: "It is judged here, and would not be there after a checkout.",
    do: "git add the file.",
    never: undefined,
  },
  "not-analysed": {
    says: "a file, or a part of an upgrade, could not be read without running it",
    severity: "error where id or parent is not known; else a note",
    why: "What it does is not known before it runs. The proof sees it, the lint rules do not.",
    do: "Write ids, names and SQL as constants.",
    never: undefined,
  },
  "unknown-suppression": {
    says: "a suppression, or migration-gate.yml, names a rule or a revision, or says a word, that does not exist",
    severity: "warning",
    why: "It suppresses nothing, and whoever reads it believes that it does.",
    do: "Write the id as a finding shows it; migration-gate explain lists all.",
    never: itself,
  },
  "suppression-without-reason": {
    says: "a suppression, or a rule that is turned off or down, has no reason",
    severity: "warning",
    why: "Without it nobody knows later whether it may go; until it has one it suppresses nothing.",
    do: "# migration-gate: allow <rule> because <reason>, or because: <reason> in migration-gate.yml",
    never: itself,
  },
  "suppression-not-allowed": {
    says: "a suppression names a rule that must not be accepted",
    severity: "warning",
    why: "What was not seen is not known. Accepting it would make every later check worthless.",
    do: "Remove it, and mend what the finding says.",
    never: itself,
  },
  "unused-suppression": {
    says: "a suppression suppresses nothing",
    severity: "warning",
    why: "It would hide the next finding of that rule, which nobody has judged.",
    do: "Remove it, or write it on the statement that the finding names.",
    never: itself,
  },
  "unused-baseline-entry": {
    says: "the baseline has a finding that is no longer there",
    severity: "note",
    why: "The same finding could come back unseen.",
    do: "migration-gate check --write-baseline",
    never: itself,
  },
} as const satisfies Readonly<Record<string, FactRule>>;
