import * as core from "@actions/core";
import type { StatusReport } from "../model/status";
import { block, clip } from "../reports/escaping";
import { statusOutputs } from "../reports/outputs";
import { statusText } from "../reports/status-text";
import { plainPaint } from "../reports/terminal";
import type { Settings } from "../settings";
import { attempt, log } from "./publish";

/** GitHub refuses a summary above 1 MiB; escaped, a character becomes six at most. The log has all of it. */
const summaryLength = 100_000;

/** A database's status in the log, on the job's summary page and in the outputs. Secrets must be gone from it. */
export async function publishStatus(report: StatusReport, settings: Settings): Promise<void> {
  const text = statusText(report, settings.verbose, plainPaint);
  log(text);
  await attempt("The outputs", () => {
    for (const [name, value] of Object.entries(statusOutputs(report))) core.setOutput(name, value);
  });
  await attempt("The job summary", async () => {
    if (!settings.summary) return;
    const shown = block(clip(text, summaryLength));
    await core.summary.addRaw(`## migration-gate: status\n\n${shown}\n`).write();
  });
}
