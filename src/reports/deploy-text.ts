import type { BackupReport, DeployReport, DeployState, OtherDatabase, Problem } from "../model/deployment";
import { sizeText } from "./backup-text";
import { harmless, type Paint } from "./terminal";

/** What apply or rollback did, for a terminal: problems first, then where the database is and what to type next. */
export function deployText(report: DeployReport, paint: Paint): string {
  const { problems, warnings, revisions, backup, leftovers, next, others = [] } = report;
  const lines = [
    ...warnings.map((problem) => problemText(problem, paint.yellow("warning"))),
    ...problems.map((problem) => problemText(problem, paint.red("error"))),
    ...(leftovers.length === 0 ? [] : [`Left behind although nothing was finished: ${list(leftovers)}.`]),
    ...revisions.map(({ id, status, message }) => {
      const painted = status === "done" ? paint.green : paint.yellow;
      const word = { done: doneWord(report), "not done": "not done", "not known": "not known" }[status];
      return `${painted(word.padEnd(10))} ${harmless(id)}  ${harmless(message)}`;
    }),
    "",
    summary(report, paint),
    ...(backup === undefined ? [] : backupLines(backup)),
    ...others.flatMap((other) => otherLines(other, paint)),
    ...(next.length === 0 ? [] : [`Next: ${next.map(harmless).join("\n      ")}`]),
    ...(report.record === undefined ? [] : [paint.dim(`Record: ${harmless(report.record)}`)]),
  ];
  return `${lines.join("\n").trimStart()}\n`;
}

function doneWord({ command }: DeployReport): string {
  return command === "apply" ? "applied" : "taken back";
}

const states: Readonly<Record<DeployState, string>> = {
  unchanged: "The database is as it was: nothing of this was committed.",
  "at target": "The database is where it was to be.",
  "partly applied": "The database has a part of it.",
  unverified: "The version table is where it was to be, and something else is not.",
  unknown: "What the database has of it is not known.",
};

function summary(
  { bind, database, heads, state, outcome, milliseconds, tries }: DeployReport,
  paint: Paint,
): string {
  const name = `${label(bind)}${harmless(database.name)}, PostgreSQL ${harmless(database.server)}`;
  if (outcome === "nothing to do")
    return paint.green(`${name}: nothing to do; it is at ${ids(heads.before)}.`);
  const { before, after } = heads;
  const from =
    after !== undefined && ids(after) === ids(before)
      ? `still at ${ids(before)}`
      : `from ${ids(before)} to ${after === undefined ? "what could not be read" : ids(after)}`;
  const took = `${(milliseconds / 1000).toFixed(1)} s${tries > 1 ? `, ${tries} tries` : ""}`;
  const painted = outcome === "done" ? paint.green : paint.red;
  return `${name}: ${from} (${took}).\n${painted(states[state])}`;
}

function label(bind: string | undefined): string {
  return bind === undefined ? "" : `database "${harmless(bind)}": `;
}

function otherLines({ bind, database, heads, state, backup }: OtherDatabase, paint: Paint): string[] {
  const painted = state === "at target" ? paint.green : paint.red;
  const after = heads.after === undefined ? "what could not be read" : ids(heads.after);
  return [
    `${label(bind)}${harmless(database.name)}: from ${ids(heads.before)} to ${after}. ${painted(states[state])}`,
    ...(backup === undefined ? [] : backupLines(backup)),
  ];
}

function backupLines(backup: BackupReport): string[] {
  if (backup.kind === "none") return [`Backup: none, because ${harmless(backup.because ?? "")}.`];
  const size = backup.bytes === undefined ? "" : `, ${sizeText(backup.bytes)}`;
  return [
    `Backup: ${harmless(backup.location ?? "")}${size}${backup.encrypted ? ", encrypted" : ""}.`,
    ...(backup.restore === undefined ? [] : [`        restored by: ${harmless(backup.restore)}`]),
  ];
}

function problemText({ what, where, seen, why, do: advice }: Problem, label: string): string {
  const parts = { where, seen, why, do: advice };
  const lines = Object.entries(parts).flatMap(([name, text]) => {
    if (text === undefined || text === "") return [];
    const [first, ...rest] = harmless(text).split("\n");
    return [`  ${name.padEnd(5)} ${first}`, ...rest.map((line) => `        ${line}`)];
  });
  return [`${label}: ${harmless(what)}`, ...lines].join("\n");
}

function ids(heads: readonly string[]): string {
  return heads.map(harmless).join(", ") || "base";
}

function list(keys: readonly string[]): string {
  const shown = keys.slice(0, 10).map(harmless).join(", ");
  return keys.length > 10 ? `${shown} and ${keys.length - 10} more` : shown;
}
