/** What can be asked for; `explain` and `help` take no settings. */
export const commandNames = ["check", "status", "backup", "apply", "rollback", "restore"] as const;
export type CommandName = (typeof commandNames)[number];

/** Where a setting can be given: `--name`, MIGRATION_GATE_NAME, the action's input, a key of migration-gate.yml. */
export const surfaces = ["flag", "input", "variable", "file"] as const;
export type Surface = (typeof surfaces)[number];

export interface SettingEntry {
  readonly type: "text" | "list" | "number" | "boolean" | readonly string[];
  readonly default: string | undefined;
  /** What it does, one or two sentences, for help and docs. */
  readonly text: string;
  /** The commands that look at it; without it, all of them. */
  readonly commands?: readonly CommandName[];
  /** May hold a password: never taken from the argument list of an example, never shown. */
  readonly secret?: true;
  /** Without it, everywhere. */
  readonly where?: readonly Surface[];
  /** What action.yml gives where the workflow gives nothing; only for what no variable and no file can give. */
  readonly inputDefault?: string;
}
