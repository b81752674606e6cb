import { type SettingEntry, settingNames, settingTable, takes, variableOf } from "../settings";

/** The command line's help, made from the table of settings. */
export function helpText(): string {
  const settings = settingNames
    .filter((name) => takes(name, "flag"))
    .map((name) => {
      const entry: SettingEntry = settingTable[name];
      const words = typeof entry.type === "string" ? "" : ` One of ${entry.type.join(", ")}.`;
      const standard = entry.default === undefined ? "" : ` Default: "${entry.default}".`;
      return `  --${name}\n      ${entry.text}${words}${standard}`;
    });
  return `migration-gate proves database migrations on a shadow PostgreSQL before they reach a real one.

  migration-gate check    upgrade head, downgrade, upgrade head, every revision accounted for
  migration-gate status   which revisions a database has; reads only
  migration-gate backup   a dump of the database, checked, hashed, and encrypted where asked
  migration-gate restore <file> --to-env <variable>
                          a backup into the database whose address the variable has
  migration-gate explain <rule>
                          what a finding means, with examples; without a rule, all of them

Exit: 0 clean; 1 a finding, or a step that was not proved; 2 nothing could be judged.
Every setting may also be an environment variable, e.g. ${variableOf("shadow-url")}, which keeps a password out of the
argument list. A project's settings stand in migration-gate.yml: docs/settings.md.

${settings.join("\n")}
`;
}
