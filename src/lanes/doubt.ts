import type { RecordedStep } from "../evidence/steps";
import type { Leg } from "./stage";

/** Why a step that was seen does not count as proved. */
export function doubtOf(leg: Leg, step: RecordedStep): string | undefined {
  if (step.doubts.length > 0) return step.doubts[0];
  if (leg.unexplained.length > 0) return leg.unexplained[0];
  if (leg.bypassed !== undefined) return leg.bypassed;
  if (leg.recording.failures.length > 0) return `the recorder failed: ${leg.recording.failures[0]}`;
  const isLast = leg.steps.at(-1) === step;
  if (isLast && leg.failure === undefined && leg.tail.length > 0) {
    return `something changed after the last boundary: ${leg.tail
      .map((change) => change.key)
      .slice(0, 5)
      .join(", ")}`;
  }
  return undefined;
}
