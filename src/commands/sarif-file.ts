import { closeSync, openSync, writeFileSync } from "node:fs";
import { UserError } from "../errors";
import { folderInRepository } from "../github/environment";
import type { CheckReport } from "../model/verdict";
import { sarifReport } from "../reports/sarif";
import type { Settings } from "../settings";
import { version } from "../version";

/** Before a proof of minutes: UserError where the file could not be written at its end. */
export function requireWritable(file: string): void {
  try {
    closeSync(openSync(file, "a"));
  } catch (error) {
    throw notWritten(file, error);
  }
}

/** Writes the findings as SARIF, with paths from the repository's root. UserError where the file cannot be written. */
export async function writeSarifFile(file: string, report: CheckReport, settings: Settings): Promise<void> {
  const workingDirectory = await folderInRepository(settings["working-directory"], process.env);
  try {
    writeFileSync(file, sarifReport(report, { workingDirectory, version }));
  } catch (error) {
    throw notWritten(file, error);
  }
}

function notWritten(file: string, error: unknown): UserError {
  return new UserError(
    {
      what: "The SARIF file cannot be written.",
      where: file,
      seen: error instanceof Error ? error.message : String(error),
      do: "Set sarif-file to a path in a folder that is there and can be written.",
    },
    { cause: error },
  );
}
