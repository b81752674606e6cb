import type { ToolFailure, ToolOutput } from "../contract";

/** What examples/numbered/migrate prints: `error: <file>: <message>` of a file's statement, else `error: <message>`. */
export function explainFailure({ text, exitCode }: ToolOutput): ToolFailure {
  const shown = text.replace(/(\w:\/\/)[^\s/'"]*@/g, "$1***@");
  const [, file, message = `it ended with ${exitCode ?? "no"} as its exit code`] =
    /^error: (?:(.+?\.(?:up|down)\.sql): )?(.+)/m.exec(shown) ?? [];
  return {
    kind: file === undefined ? "environment" : "migration",
    summary: `${file ?? "./migrate"} failed: ${message.replace(/\.?$/, ".")}`,
    do: file === undefined ? "Start ./migrate by hand; mend what it names." : "Correct the statement.",
    file,
    line: undefined,
    lastLines: shown.trimEnd().split("\n").slice(-15),
  };
}
