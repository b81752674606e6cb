import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { ToolFailure, ToolOutput, ToolProject } from "../../contract";
import {
  type Frame,
  isOwnFrame,
  lastTraceback,
  type Traceback,
  withoutLibraryFrames,
} from "../python/traceback";
import type { Cause } from "./cause";
import { commandCause, startCause } from "./command";
import { causeOf } from "./exception";
import { importCause } from "./imports";

const keptLines = 15;

/**
 * Tells what made Alembic fail, from its output: its surroundings, or a revision's own code (a frame of a revision below
 * Alembic's call of it). What a database refused inside a revision is the migration's too; the recorder knows more.
 */
export function explainFailure(output: ToolOutput, project?: ToolProject): ToolFailure {
  const lines = withoutSecrets(stripVTControlCharacters(output.text))
    .split(/\r\n|\r|\n/)
    .map((line) => line.trimEnd());
  const lastLines = withoutLibraryFrames(lines)
    .filter((line) => line !== "")
    .slice(-keptLines);
  const finish = (
    kind: ToolFailure["kind"],
    cause: Cause,
    place?: { file: string; line: number },
  ): ToolFailure => ({
    kind,
    summary: cause.summary,
    do: cause.do,
    file: place === undefined ? undefined : shown(place.file, project),
    line: place?.line,
    lastLines,
  });

  const start = startCause(output.exitCode, lines, project);
  if (start !== undefined) return finish("environment", start);
  const traceback = lastTraceback(lines);
  if (traceback === undefined) {
    const running = lines.findLast((line) => /Running (upgrade|downgrade) /.test(line));
    const cause = commandCause(lines, output.exitCode, running);
    return finish(running !== undefined && cause.ofStep ? "migration" : "environment", cause);
  }
  const inRevision = revisionFrame(traceback);
  if (inRevision !== undefined) {
    const place = traceback.frames.findLast((frame) => isOwnFrame(frame)) ?? inRevision;
    const at = place.file === inRevision.file ? place : inRevision;
    return finish("migration", raisedCause(traceback, shown(at.file, project)), at);
  }
  const cause = causeOf(traceback, lines);
  const own = traceback.frames.findLast(isOwnFrame);
  return finish(
    cause.ofStep || isRefusedBookkeeping(traceback) ? "migration" : "environment",
    cause,
    cause.place ?? (cause.placeless ? undefined : own),
  );
}

/** The revision's last frame below Alembic's `step.migration_fn(**kw)`. */
function revisionFrame({ frames }: Traceback): Frame | undefined {
  const call = frames.findLastIndex(
    (frame) => /alembic[/\\]runtime[/\\]migration\.py$/.test(frame.file) && frame.name === "run_migrations",
  );
  const called = frames[call + 1];
  if (call < 0 || called === undefined || !isOwnFrame(called)) return undefined;
  return frames.slice(call).findLast((frame) => frame.file === called.file);
}

/**
 * The server refused what Alembic itself does between and after revisions: the version table's write in a transaction
 * that a revision left aborted, or a COMMIT that a deferred constraint stops. A revision made it fail.
 */
function isRefusedBookkeeping({ type, frames }: Traceback): boolean {
  const below = frames.slice(frames.findLastIndex(isOwnFrame) + 1);
  const byAlembic = below.some(({ file }) => /alembic[/\\]runtime[/\\]migration\.py$/.test(file));
  return byAlembic && /^(?:sqlalchemy\.exc|psycopg|asyncpg)/.test(type);
}

function raisedCause(traceback: Traceback, file: string): Cause {
  const { type, message } = traceback;
  const name = type.split(".").at(-1) ?? type;
  const first = message.split("\n")[0] ?? "";
  const summary = `${file} raised ${name}${first === "" ? "" : `: ${first}`}${/[.!?]$/.test(first) ? "" : "."}`;
  if (name === "NotImplementedError") {
    return {
      summary,
      do: "Write the downgrade, or set floor to this revision: downgrades are then asked for down to here.",
    };
  }
  return {
    summary,
    do: importCause(name, traceback)?.do ?? "Mend the revision; the traceback's last lines say where.",
  };
}

/** As the project names its files; a container's path is recognised by a versions folder within it. */
function shown(file: string, project: ToolProject | undefined): string {
  if (project === undefined) return file;
  const inside = path.relative(project.root, file);
  if (path.isAbsolute(file) && !inside.startsWith("..")) return inside.split(path.sep).join("/");
  for (const folder of project.revisionFolders) {
    const relative = path.relative(project.root, folder).split(path.sep).join("/");
    const at = file.lastIndexOf(`/${relative}/`);
    if (at >= 0) return file.slice(at + 1);
  }
  return file;
}

/** Addresses' user parts, what settings classes were given, and the text after a stray "%" of alembic.ini. */
function withoutSecrets(text: string): string {
  return text
    .replace(/(\w:\/\/)[^\s/'"]*@/g, "$1***@")
    .replace(/(input_value=).*?(, input_type=)/g, "$1…$2")
    .replace(/('%' must be followed by '%' or '\(', found: ).*/g, "$1…");
}
