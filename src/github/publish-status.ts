import * as core from "@actions/core";
import type { StatusReport } from "../model/status";
import { block } from "../reports/escaping";
import { statusOutputs } from "../reports/outputs";
import { statusText } from "../reports/status-text";
import { plainPaint } from "../reports/terminal";
import type { Settings } from "../settings";
import { attempt, log } from "./publish";

/** A database's status in the log, on the job's summary page and in the outputs. Secrets must be gone from it. */
export async function publishStatus(report: StatusReport, settings: Settings): Promise<void> {
  const text = statusText(report, settings.verbose, plainPaint);
  log(text);
  await attempt("The outputs", () => {
    for (const [name, value] of Object.entries(statusOutputs(report))) core.setOutput(name, value);
  });
  await attempt("The job summary", async () => {
    if (settings.summary) await core.summary.addRaw(`## migration-gate: status\n\n${block(text)}\n`).write();
  });
}
