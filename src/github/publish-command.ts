import * as core from "@actions/core";
import type { Problem } from "../model/deployment";
import type { OutputName } from "../outputs";
import { block, clip } from "../reports/escaping";
import { printed } from "../reports/json";
import type { Settings } from "../settings";
import { annotate, attempt, log, writeJson } from "./publish";

/** GitHub refuses a summary above 1 MiB; escaped, a character becomes six at most. The log has all of it. */
const summaryLength = 100_000;

/** What a command that does not judge has to tell. Secrets must be gone from it. */
export interface Told {
  readonly command: string;
  /** What `--format json` prints. */
  readonly report: object;
  /** Without colours. */
  readonly text: string;
  readonly outputs: Readonly<Record<OutputName, string>>;
  readonly errors?: readonly Problem[];
  readonly warnings?: readonly Problem[];
}

/** In the log, as annotations, in the outputs and on the job's summary page. */
export async function publishCommand(
  told: Told,
  settings: Pick<Settings, "summary">,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { command, report, text, outputs, errors = [], warnings = [] } = told;
  log(text);
  const title = `migration-gate ${command}`;
  for (const problem of errors) annotate(core.error, problem, title);
  for (const problem of warnings) annotate(core.warning, problem, title);
  const file = await attempt("The JSON report", () => writeJson(printed(report), environment));
  await attempt("The outputs", () => {
    for (const [name, value] of Object.entries({ ...outputs, "report-json": file ?? "" }))
      core.setOutput(name, value);
  });
  await attempt("The job summary", async () => {
    if (!settings.summary) return;
    const shown = block(clip(text, summaryLength));
    await core.summary.addRaw(`## migration-gate: ${command}\n\n${shown}\n`).write();
  });
}
