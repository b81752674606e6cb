import type { DeployLaneReport } from "../model/deploy-lane";

/** The lane in one or two sentences, without Markdown. */
export function deployLaneSentence(lane: DeployLaneReport): string {
  const { status, reason, start, tables, rows, kept } = lane;
  if (status === "skipped") return `Deploy lane: skipped, ${reason}.`;
  if (start === undefined) {
    return `Deploy lane: not proved (${lane.cause}): ${reason}. What the change does to a database with history and rows is not known.`;
  }
  const from = `from ${start.from}${kept ? ", kept by an earlier run" : ""}`;
  const filled =
    rows === "landed"
      ? "on the rows of migrations alone"
      : `on ${rows} rows in ${tables.filled} of ${tables.all} tables`;
  const unfilled = tables.unfilled.slice(0, 5).map((table) => `${table.table} (${table.reason})`);
  const more = tables.unfilled.length - unfilled.length;
  const without =
    unfilled.length === 0 ? "" : ` Without rows: ${unfilled.join("; ")}${more > 0 ? `; ${more} more` : ""}.`;
  const why = reason === undefined ? "" : `: ${reason}`;
  return `Deploy lane: ${status} ${from}, ${filled}${why}.${without}`;
}
