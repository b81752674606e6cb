import type { PlannedRevision } from "../model/deployment";
import { namedTable } from "../tools/named-table";
import { shellWord } from "../tools/shell-words";
import type { Newest } from "./newest";
import type { SeenDatabase } from "./status";
import type { Target } from "./target";

/** What is left to a person where the gate takes a revision back by nothing: forward, or back by hand, with what is known. */
export function byHand(
  target: Target,
  seen: SeenDatabase,
  { revision, heads }: Pick<Newest, "revision" | "heads">,
  { wayBack }: PlannedRevision,
): string {
  const forward =
    "Mend it by a new revision that goes forward (the usual way), or restore a backup: migration-gate restore";
  const { proposal } = wayBack;
  if (proposal === undefined) return forward;
  const { tool, project, run } = target;
  const { stamp } = tool.commands(project);
  const table = seen.versionTable ?? namedTable(tool);
  const row = tool.rows?.deletion(table, revision.id);
  const line =
    stamp === undefined
      ? []
      : [
          `then in a shell: ${[...run, ...stamp, ...(heads.length === 0 ? ["base"] : heads)].map(shellWord).join(" ")}`,
        ];
  const statements = proposal.map((text) => (text.startsWith("--") ? text : `${text};`));
  const missing = statements.length === 0 ? ["-- the upgrade was not seen to change the schema"] : [];
  return [
    forward,
    `Or back by hand, after migration-gate backup. This is a proposal, from what the upgrade of ${revision.id} made on the shadow; read it before you run it:`,
    "BEGIN;",
    ...missing,
    ...statements,
    ...(row === undefined ? [] : [`${row};`]),
    "COMMIT;",
    ...line,
    ...(revision.sql?.byGate === true && revision.sql.down !== undefined
      ? [
          `Or write what stands between BEGIN and DELETE into ${revision.sql.down}: then rollback proves it and runs it.`,
        ]
      : []),
    `Afterwards deploy a release without ${revision.id}, or the next apply brings it back.`,
  ].join("\n");
}
