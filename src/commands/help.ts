import {
  type CommandName,
  commandNames,
  type SettingEntry,
  settingNames,
  settingTable,
  takes,
  variableOf,
} from "../settings";

const lines: Readonly<Record<CommandName, string>> = {
  check: "upgrade head, downgrade, upgrade head, every revision accounted for",
  status: "which revisions a database has; reads only",
  backup: "a dump of a database, verified, encrypted where a key is given",
  apply: "status, preflight, backup, upgrade, verify; --dry-run prints the plan",
  rollback: "the newest revision taken back, proved on a shadow before",
  restore: "a backup, into a database that is named on purpose",
};

/** The command line's help, made from the table of settings; of one command, only what that command looks at. */
export function helpText(command?: string): string {
  const known = commandNames.find((name) => name === command);
  const settings = settingNames
    .filter((name) => takes(name, "flag") && (known === undefined || isOf(settingTable[name], known)))
    .map((name) => {
      const entry: SettingEntry = settingTable[name];
      const words = typeof entry.type === "string" ? "" : ` One of ${entry.type.join(", ")}.`;
      const standard = entry.default === undefined ? "" : ` Default: "${entry.default}".`;
      return `  --${name}\n      ${entry.text}${words}${standard}`;
    });
  const names = commandNames.map((name) => `  migration-gate ${name.padEnd(8)}  ${lines[name]}`);
  const head =
    known === undefined
      ? `migration-gate proves database migrations on a shadow PostgreSQL, and applies them to a real one.

${names.join("\n")}
  migration-gate explain <rule>
                            what a finding means, with examples; without a rule, all of them

The settings of one command: migration-gate <command> --help`
      : `migration-gate ${known}: ${lines[known]}.`;
  return `${head}

Exit: 0 clean, or done; 1 a finding, a step that was not proved, or a database that may have changed; 2 nothing could be
judged, or nothing was changed.
Every setting may also be an environment variable, e.g. ${variableOf("shadow-url")}, which keeps a password out of the
argument list. A project's settings stand in migration-gate.yml: docs/settings.md.

${settings.join("\n")}
`;
}

function isOf({ commands }: SettingEntry, command: CommandName): boolean {
  return commands === undefined || commands.includes(command);
}
