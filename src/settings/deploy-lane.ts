import type { CommandName, SettingEntry } from "./entry";

const lane = ["check"] as const satisfies readonly CommandName[];

/** Settings of the lane that tries the change on a database as production has it. */
export const deployLaneSettings = {
  "deploy-lane": {
    type: ["auto", "off"],
    default: "auto",
    commands: lane,
    text: "Try the change on a database that the base's files built and that has rows: where there is a base, or never.",
  },
  require: {
    type: ["nothing", "deploy-lane"],
    default: "nothing",
    commands: lane,
    text: "Fail the check where the deploy lane could not be run to its end; otherwise the report says so first.",
  },
  from: {
    type: "text",
    default: undefined,
    commands: lane,
    text: "Where production is, instead of the base's head: a revision, a tag or a commit. All that is pending from there is judged as one change.",
  },
  "from-env": {
    type: "text",
    default: undefined,
    commands: lane,
    text: "The variable with production's address: its version table says where the deploy lane begins. It is only read.",
  },
  "seed-from": {
    type: "text",
    default: undefined,
    commands: lane,
    text: "A SQL file that makes production's schema, with the version table's rows, instead of the base's revisions (pg_dump, plain or custom).",
  },
  seed: {
    type: "text",
    default: undefined,
    commands: lane,
    text: "Rows of your own for the deploy lane, put in at the base's head before other tables are filled: a SQL file or a command.",
  },
  "verify-on-env": {
    type: "text",
    default: undefined,
    commands: lane,
    text: "The variable with production's address, for a role that may only read: the queries of findings that depend on rows are run there, in a read-only transaction, and settle them.",
  },
} as const satisfies Readonly<Record<string, SettingEntry>>;
