import type { CommandName, SettingEntry } from "./entry";

const deploying = ["apply", "rollback"] as const satisfies readonly CommandName[];
const dumping = ["backup", "apply", "rollback", "restore"] as const satisfies readonly CommandName[];

/** Settings of the commands that write a database, or keep what was in it. */
export const deploySettings = {
  to: {
    type: "text",
    default: undefined,
    commands: ["apply"],
    text: "The revision to go to. Without it, all that is pending.",
  },
  "dry-run": {
    type: "boolean",
    default: "false",
    commands: deploying,
    text: "Only print the plan: what would run, by which locks, and each revision's way back.",
  },
  plan: {
    type: "text",
    default: undefined,
    commands: ["apply"],
    text: "Apply what was reviewed, the file that --dry-run --format json wrote; refused where anything differs by now.",
  },
  "earlier-env": {
    type: "text",
    default: undefined,
    commands: ["apply"],
    text: "The variable that has the address of the environment before this one, e.g. staging's: only what was applied there is applied here. It is only read.",
  },
  "earlier-record": {
    type: "text",
    default: undefined,
    commands: ["apply"],
    text: "The same by the record that the apply to the environment before this one left, where that cannot be reached from here.",
  },
  "write-proof": {
    type: "text",
    default: undefined,
    commands: ["check"],
    text: "Write what was proved to this file, for the setting proof of a later apply.",
  },
  proof: {
    type: "text",
    default: undefined,
    commands: deploying,
    text: "The file that check --write-proof wrote: the database's schema is compared with the proved one, before and after.",
  },
  yes: {
    type: "boolean",
    default: "false",
    where: ["flag", "variable"],
    commands: ["apply", "rollback", "restore"],
    text: "Answer the question whether to write with yes. Nobody is asked where there is no terminal.",
  },
  "lock-timeout": {
    type: "number",
    default: "5",
    commands: deploying,
    text: "Seconds that a migration's statement may wait for a lock, because whatever comes after it waits behind it.",
  },
  "statement-timeout": {
    type: "number",
    default: "3600",
    commands: deploying,
    text: "Seconds that one statement of a migration may take.",
  },
  "lock-tries": {
    type: "number",
    default: "5",
    commands: deploying,
    text: "How often the tool is started where a lock could not be had in time; between two tries the gate waits longer and longer.",
  },
  "apply-wait": {
    type: "number",
    default: "600",
    commands: deploying,
    text: "Seconds to wait for another apply or rollback on the same database.",
  },
  "apply-timeout": {
    type: "number",
    default: "21600",
    commands: deploying,
    text: "Seconds that one start of the tool may take on the database.",
  },
  "max-transaction-age": {
    type: "number",
    default: "300",
    commands: deploying,
    text: "Seconds: with a transaction open for longer than that nothing is migrated, because a lock may have to wait for its end.",
  },
  "drop-invalid-indexes": {
    type: "boolean",
    default: "false",
    commands: ["apply"],
    text: "Drop an invalid index that a cancelled CREATE INDEX CONCURRENTLY of this apply left, so that the next try can build it.",
  },
  "accept-loss": {
    type: "list",
    default: undefined,
    commands: ["rollback"],
    text: "What a downgrade may lose, as the refusal names it, e.g. column boards.cards.title; may be repeated.",
  },
  "record-directory": {
    type: "text",
    default: "migration-gate-records",
    commands: ["apply", "rollback", "restore"],
    text: "The folder, from where the gate is started, for the JSON record that each write leaves.",
  },
  backup: {
    type: ["dump", "none"],
    default: "dump",
    commands: deploying,
    text: "Take a dump before the first change, or none, which needs backup-because.",
  },
  "backup-because": {
    type: "text",
    default: undefined,
    commands: deploying,
    text: "Why no backup is needed, e.g. the name of the provider's snapshot.",
  },
  "backup-to": {
    type: ["file", "command", "artifact"],
    default: "file",
    commands: ["backup", "apply", "rollback"],
    text: "Where a backup is kept: a file, the standard input of backup-sink, or an artifact of the workflow (encrypted only).",
  },
  "backup-directory": {
    type: "text",
    default: "migration-gate-backups",
    commands: ["backup", "apply", "rollback"],
    text: "The folder, from where the gate is started, for backups and their manifests.",
  },
  "backup-sink": {
    type: "text",
    default: undefined,
    commands: ["backup", "apply", "rollback"],
    text: "The command that reads the backup on its standard input, split into words without a shell; {name} is the backup's file name.",
  },
  "backup-recipient": {
    type: "list",
    default: undefined,
    commands: ["backup", "apply", "rollback"],
    text: "Encrypt backups to this age public key (age1…); may be repeated.",
  },
  "pg-dump": {
    type: "text",
    default: undefined,
    commands: dumping,
    text: "The pg_dump to use, its pg_restore beside it. Without it the machine's, one of the server's major version or the nearest above, else one fetched with pip.",
  },
  "pg-dump-image": {
    type: "text",
    default: undefined,
    commands: dumping,
    text: "A container image whose pg_dump, pg_restore and psql are used instead, e.g. postgres:17; docker runs them, or podman where docker is not there.",
  },
  "restore-from": {
    type: "text",
    default: undefined,
    where: ["input", "variable"],
    commands: ["restore"],
    text: "The backup to restore; on the command line it is the word after restore.",
  },
  "to-env": {
    type: "text",
    default: undefined,
    commands: ["restore"],
    text: "The variable that has the address of the database to restore into.",
  },
  replace: {
    type: "boolean",
    default: "false",
    commands: ["restore"],
    text: "Restore over a database that is not empty: into a new one beside it, which then takes its name; the old one is kept.",
  },
  "identity-file": {
    type: "text",
    default: undefined,
    commands: ["restore"],
    text: "The file with the age key that opens the backup.",
  },
} as const satisfies Readonly<Record<string, SettingEntry>>;
