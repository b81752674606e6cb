import type { ToolProject } from "../../contract";
import { runWords } from "../run";
import { type Cause, sentence } from "./cause";

/** The tool did not start at all. */
export function startCause(
  exitCode: number | null | undefined,
  lines: readonly string[],
  project?: ToolProject,
): Cause | undefined {
  const text = lines.join("\n");
  const notFound =
    /command not found|No module named alembic\b|Failed to spawn: `alembic`|^env: .*: No such file|Command not found: alembic/m;
  if (exitCode !== undefined && exitCode !== 127 && exitCode !== 126 && !notFound.test(text))
    return undefined;
  if (exitCode !== undefined && lastTracebackIn(text)) return undefined;
  const words = project === undefined ? ["alembic"] : runWords(project);
  const denied = /permission denied/i.test(text) || exitCode === 126;
  return {
    summary: denied
      ? "The migration tool may not be started: permission denied."
      : "The migration tool is not installed, or not on PATH.",
    do: `Install the project's Python packages before this step, or set run to what starts Alembic (now: ${words.join(" ")}).`,
  };
}

function lastTracebackIn(text: string): boolean {
  return text.includes("Traceback (most recent call last):");
}

const commandErrors: readonly {
  readonly pattern: RegExp;
  readonly cause: (match: RegExpExecArray) => Cause;
}[] = [
  {
    pattern: /^FAILED: (Can't locate revision identified by '(.+)')/m,
    cause: ([, , id]) => ({
      summary: `No revision file has the id "${id}", which the version table or the target names.`,
      do: `Bring back the file of revision ${id}, or take ${id} out of the version table of a database that nobody needs.`,
    }),
  },
  {
    pattern: /^FAILED: Multiple head revisions are present/m,
    cause: () => ({
      summary: "The project has more than one head revision.",
      do: 'Join the heads with "alembic merge heads", or give one the other as its down_revision.',
    }),
  },
  {
    pattern: /^FAILED: Could not determine revision id from filename (\S+)\. /m,
    cause: ([, file]) => ({
      summary: `${file} lies among the revisions and has no revision id.`,
      do: `Move ${file} out of the versions folder, or set revision in it.`,
    }),
  },
  {
    pattern: /^FAILED: Path doesn't exist: ([\s\S]+?)\. {2}Please use/m,
    cause: ([, folder]) => ({
      summary: `script_location names ${JSON.stringify(folder)}, and there is no such folder.`,
      do: "Set working-directory to the folder that alembic runs in, or mend script_location.",
    }),
  },
  {
    pattern: /^FAILED: No 'script_location' key found/m,
    cause: () => ({
      summary: "Alembic found no configuration with script_location where it was started.",
      do: "Set working-directory to the folder that has alembic.ini.",
    }),
  },
  {
    pattern: /^FAILED: (.+)/m,
    cause: ([, message]) => ({
      summary: `Alembic stopped: ${sentence(message)}`,
      do: "Mend what Alembic names.",
    }),
  },
  {
    pattern: /^alembic(?: \w+)?: error: (.+)/m,
    cause: ([, message]) => ({
      summary: `Alembic does not take its arguments: ${sentence(message?.split(" (choose")[0]?.replace(/^argument \{.*\}: /, ""))}`,
      do: "Set run to words after which Alembic's own arguments (upgrade head, current) can follow.",
    }),
  },
];

/** A failure without a traceback: Alembic's own message, else the last line. */
export function commandCause(
  lines: readonly string[],
  exitCode: number | null | undefined,
  running: string | undefined,
): Cause {
  const text = lines.join("\n");
  for (const { pattern, cause } of commandErrors) {
    const match = pattern.exec(text);
    if (match !== null) return cause(match);
  }
  const ended = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
  const step = running === undefined ? undefined : /Running (\w+) (\S*) -> (\S*?)(?:,|$)/.exec(running);
  if (step !== undefined && step !== null) {
    const revision = step[1] === "downgrade" ? step[2] : step[3];
    return {
      summary: `The migration tool ${ended} in the ${step[1]} of revision ${revision}, without saying why.`,
      do: "Look into the revision, and into env.py and the run command: one of them hides the error.",
      ofStep: true,
    };
  }
  const last = lines.findLast((line) => line !== "");
  return {
    summary:
      last === undefined
        ? `The migration tool ${ended} and printed nothing.`
        : `The migration tool ${ended}: ${sentence(last)}`,
    do: "Start the tool by hand in the project's folder; mend what it names.",
  };
}
