import type { MendLines, RevisionStatus, StatusReport } from "../model/status";
import { harmless, type Paint } from "./terminal";

/** Most applied revisions are old news: without `verbose` only the newest of them are shown. */
const shownApplied = 5;

/** The status for a terminal: newest first, as `alembic history` prints them, then what it means. */
export function statusText(report: StatusReport, verbose: boolean, paint: Paint): string {
  const { revisions, unknown } = report;
  const shown = [...revisions].reverse();
  const applied = shown.filter(({ status }) => status === "applied");
  const hidden = verbose ? [] : applied.slice(shownApplied);
  const lines = shown
    .filter((revision) => !hidden.includes(revision))
    .flatMap((revision) => revisionLines(revision, verbose, paint));
  const lost = unknown.map(({ id, lastCommit, file }) =>
    [
      `${paint.red("unknown".padEnd(9))} ${harmless(id)}  no revision file has this id`,
      lastCommit === undefined
        ? "            git knows no commit that has its file (a shallow clone knows little: fetch-depth: 0)"
        : `            last in ${lastCommit.hash.slice(0, 12)} (${lastCommit.date.slice(0, 10)}) ${harmless(lastCommit.subject)}: ${harmless(file ?? "")}`,
    ].join("\n"),
  );
  const rest = hidden.length === 0 ? [] : [paint.dim(`applied   ${hidden.length} more (--verbose)`)];
  return `${[...lost, ...lines, ...rest, "", ...summary(report, paint)].join("\n")}\n`;
}

const words = { applied: "installed", "checksum mismatch": "different checksum" } as const;

/** One line a revision, oldest first, as `20240101000000/installed: 001_initial_schema`; what no file has comes last. */
export function statusLines({ revisions, unknown }: StatusReport): string {
  const lines = revisions.map((revision) => {
    const { id, status } = revision;
    const word = status in words ? words[status as keyof typeof words] : status;
    return `${harmless(id)}/${word}: ${harmless(nameOf(revision))}`;
  });
  const lost = unknown.map(({ id }) => `${harmless(id)}/unknown: no revision file has this id`);
  return `${[...lines, ...lost].join("\n")}\n`;
}

/** The file's name without its id and what tells its kind; the message where that says nothing. */
function nameOf({ id, file, message }: RevisionStatus): string {
  const stem = file
    .slice(file.lastIndexOf("/") + 1)
    .replace(/\.[^.]+$/, "")
    .replace(/\.(?:up|down)$/, "");
  const name = stem.replace(/^\d+_/, "");
  return name === "" || name === id ? message : name;
}

const trouble = {
  dirty: "it stopped half way. Finish or undo by hand what it did, then mend its row in the version table.",
  "checksum mismatch":
    "the next deploy will be refused (was previously applied but has been modified). Restore the bytes that were applied, line ends included, and write the change as a new migration.",
} as const;

function revisionLines(revision: RevisionStatus, verbose: boolean, paint: Paint): string[] {
  const { id, status, message } = revision;
  const paints = {
    applied: paint.green,
    pending: paint.yellow,
    "not known": paint.dim,
    dirty: paint.red,
    "checksum mismatch": paint.red,
  };
  const marks = [
    ...(revision.lineEndsOnly ? ["only its line ends differ (CRLF)"] : []),
    ...(revision.outOfOrder ? ["a later one is applied"] : []),
    ...(revision.present === undefined
      ? []
      : [`objects of it are there already: ${revision.present.map(harmless).join(", ")}`]),
    ...(revision.isHead ? ["head"] : []),
    ...(revision.isBranchPoint ? ["branch point"] : []),
    ...(revision.isMergePoint ? ["merge point"] : []),
  ];
  const line = `${paints[status](status.padEnd(9))} ${harmless(id)}  ${harmless(message)}${
    marks.length === 0 ? "" : ` (${marks.join(", ")})`
  }`;
  if (!verbose) return [line];
  const parents = revision.parents.length === 0 ? "base" : revision.parents.map(harmless).join(", ");
  const created = revision.created === undefined ? "" : `; written ${harmless(revision.created)}`;
  return [line, paint.dim(`            after ${parents}; ${harmless(revision.file)}${created}`)];
}

function summary(report: StatusReport, paint: Paint): string[] {
  const { database, versionTable, heads, revisions, unknown } = report;
  const count = (status: RevisionStatus["status"]) =>
    revisions.filter((revision) => revision.status === status).length;
  const table =
    versionTable === undefined
      ? "no version table of this project: nothing was installed yet"
      : `${harmless(`${versionTable.schema}.${versionTable.table}`)} holds ${heads.database.map(harmless).join(", ") || "nothing"}`;
  const bind = report.bind === undefined ? "" : `database "${harmless(report.bind)}": `;
  const lines = [`${bind}${harmless(database.name)}, PostgreSQL ${harmless(database.server)}: ${table}.`];
  if (unknown.length > 0) {
    lines.push(
      paint.red(
        `${unknown.length} unknown: the database is ahead of this source, or on another branch. Deploy a release that has ${unknown.length === 1 ? "it" : "them"}, or check that commit out.`,
      ),
      ...(report.mend === undefined ? [] : mendText(report.mend)),
    );
    return lines;
  }
  if (report.state === "dirty" || report.state === "checksum mismatch") {
    lines.push(
      paint.red(`${count(report.state)} ${report.state}: ${trouble[report.state]}`),
      `${count("pending")} pending, ${count("applied")} applied.`,
    );
    return lines;
  }
  if (heads.source.length > 1) lines.push(`The source has ${heads.source.length} heads.`);
  lines.push(
    report.state === "up to date"
      ? paint.green(`Up to date: ${count("applied")} applied.`)
      : paint.yellow(`${count("pending")} pending, ${count("applied")} applied.`),
  );
  return lines;
}

/** The lines stand alone, to be copied. */
function mendText({ restore, takeBack, keep }: MendLines): string[] {
  const typed = (lines: readonly string[]) => lines.map((line) => `    ${harmless(line)}`);
  return [
    "Or mend it, in the project's folder and with this database's address. Bring back what is missing:",
    ...typed(restore),
    ...(takeBack === undefined
      ? []
      : [
          "  then take it back, where the source does the same again in another revision (it loses what was written there; migration-gate rollback instead of the first line proves it and takes a backup):",
          ...typed(takeBack),
        ]),
    `  ${takeBack === undefined ? "then" : "or"} keep it, where it does something of its own:`,
    ...typed(keep),
  ];
}
