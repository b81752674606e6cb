/** What the action gives to later steps: `steps.<id>.outputs.<name>`. All are texts; "" where one does not apply. */
export const outputTable = {
  verdict: "`passed` or `failed`; empty where nothing could be judged.",
  findings: "How many findings there are that are not suppressed.",
  errors: "How many of them are errors.",
  warnings: "How many of them are warnings.",
  "report-json":
    "The path of the JSON report: what `--format json` prints (docs/json-report.md, docs/deploy.md).",
  "sarif-file": "The path of the SARIF file, where the setting sarif-file asks for one.",
  "head-revision": "The head of the revision graph; several are separated by a space.",
  "new-revisions": "Ids of the revisions that are new, parents first, separated by a space.",
  "edited-revisions": "Ids of the revisions that were edited, separated by a space.",
  "deleted-revisions": "Ids of the revisions that were deleted, separated by a space.",
  status:
    "Of the command status: `up to date`, `pending`, `first install`, `unknown revisions`, `dirty` or `checksum mismatch`; empty where it could not be told.",
  "pending-revisions":
    "Of status, and of apply with dry-run: ids of the pending revisions, parents first, separated by a space.",
  "unknown-revisions": "Of the command status: ids that the database has and the source has not.",
  state:
    "Of apply and rollback: `at target`, `unchanged`, `partly applied`, `unverified` or `unknown`; empty where nothing was begun.",
  "applied-revisions": "Of apply: ids of the revisions that it applied, parents first.",
  backup: "Of apply, rollback and backup: where the backup is; empty where none was taken.",
  record: "Of apply, rollback and restore: the path of the JSON record.",
} as const satisfies Readonly<Record<string, string>>;

export type OutputName = keyof typeof outputTable;
