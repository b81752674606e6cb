import * as core from "@actions/core";
import type { DeployPlan, DeployReport } from "../model/deployment";
import { deployText } from "../reports/deploy-text";
import { block, clip } from "../reports/escaping";
import { deployOutputs } from "../reports/outputs";
import { planText } from "../reports/plan-text";
import { harmless, plainPaint } from "../reports/terminal";
import type { Settings } from "../settings";
import { attempt, log } from "./publish";

/** GitHub refuses a summary above 1 MiB; escaped, a character becomes six at most. The log has all of it. */
const summaryLength = 100_000;

/**
 * What apply or rollback did, or would do, in the log, as annotations, on the job's summary page and in the outputs.
 * Secrets must be gone from it.
 */
export async function publishDeploy(report: DeployReport | DeployPlan, settings: Settings): Promise<void> {
  const text = "kind" in report ? planText(report, plainPaint) : deployText(report, plainPaint);
  log(text);
  const title = `migration-gate ${report.command}`;
  if (!("kind" in report)) {
    for (const { what, do: advice } of report.problems)
      core.error(clip(harmless(`${what} ${advice}`), 4096), { title });
    for (const { what, do: advice } of report.warnings)
      core.warning(clip(harmless(`${what} ${advice}`), 4096), { title });
  }
  await attempt("The outputs", () => {
    for (const [name, value] of Object.entries(deployOutputs(report))) core.setOutput(name, value);
  });
  await attempt("The job summary", async () => {
    if (!settings.summary) return;
    const shown = block(clip(text, summaryLength));
    await core.summary.addRaw(`## migration-gate: ${report.command}\n\n${shown}\n`).write();
  });
}
