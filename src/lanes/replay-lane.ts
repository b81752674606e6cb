import type { StepStatement } from "../model/verdict";
import { Replay, type ReplayItem } from "../recorder/replay";
import { runSetup } from "../shadow/setup";
import type { LaneContext, Leg } from "./stage";

/** `<direction> <revision>` → its statements with exact locks and rewrites. */
export type ReplayedSteps = ReadonlyMap<string, readonly StepStatement[]>;

/**
 * Runs what the first way up and down did once more on an empty database, one transaction a statement: locks add
 * up inside a transaction, and a later revision's would hide behind an earlier one's.
 */
export async function replayLegs(
  context: LaneContext,
  legs: readonly Leg[],
  judged: ReadonlySet<string>,
): Promise<ReplayedSteps> {
  const up = legs.find((leg) => leg.direction === "upgrade" && leg.failure === undefined && leg === legs[0]);
  const result = new Map<string, readonly StepStatement[]>();
  if (up === undefined) return result;
  const down = legs[legs.indexOf(up) + 1];
  await using database = await context.shadow.createDatabase("replay");
  // A setup command is the project's own and would need the recorder: its databases are not replayed.
  if (context.setup?.endsWith(".sql"))
    await runSetup(context.setup, database, async () => undefined, context.project.root);
  else if (context.setup !== undefined) return result;
  await using replay = await Replay.open(database.address, context.tool);
  for (const leg of [up, ...(down?.direction === "downgrade" && down.failure === undefined ? [down] : [])]) {
    const first = leg.steps[0]?.statements[0]?.sequence ?? 0;
    await replay.prepare(
      leg.recording,
      leg.recording.statements.filter(({ sequence }) => sequence < first),
    );
    for (const step of leg.steps) {
      const items: ReplayItem[] = step.statements.map((statement) => ({
        statement,
        recording: leg.recording,
      }));
      const statements = await replay.run(items, judged.has(step.revision));
      if (judged.has(step.revision)) result.set(`${step.direction} ${step.revision}`, statements);
    }
  }
  return result;
}
