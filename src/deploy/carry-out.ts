import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors";
import { terminateForGood } from "../executors/families";
import type { CommandResult } from "../executors/local";
import { textOfFile } from "../executors/readable-files";
import { isWithoutTransaction } from "../lanes/own-way-back";
import type { DeployReport, Problem } from "../model/deployment";
import type { Revision } from "../model/revision";
import { databaseVariable } from "../settings/binds";
import { registerCleanup } from "../shadow/cleanup";
import { type RevisionSource, revisionSource } from "../tools/revision-source";
import { type AtWork, databasesAtWork, endSessions, noteLate } from "./at-work";
import { isAt } from "./goal";
import type { Job } from "./job";
import { type MigrationOptions, type MigrationResult, migrate } from "./migrate";
import { buildsConcurrently, keepsOneTransaction, worksInOneTransaction, writesRows } from "./repeatable";
import { Reporter } from "./reporter";
import { type TakeBack, takeBack } from "./take-back";
import { sessionOptions, takesOptions, toolEnvironment } from "./tool-environment";
import { toolSessionName } from "./tool-sessions";

/**
 * Starts the tool and tells what became of the database, by the version table and the catalog. Never throws for what
 * happens after the tool was started: then there is a report and a record, also when a signal ends this process.
 */
export async function carryOut(job: Job): Promise<DeployReport> {
  const { settings, environment, target } = job;
  const sources = job.revisions.map((revision) => sourceOf(job, revision));
  const elsewhere = sourcesElsewhere(job);
  const isConcurrent = [...sources, ...elsewhere].some(({ text }) => buildsConcurrently(text));
  const lockTimeoutMs = settings["lock-timeout"] * 1000;
  const statementTimeoutMs = settings["statement-timeout"] * 1000;
  const applicationName = `${toolSessionName} ${randomBytes(4).toString("hex")}`;
  const words = await sessionOptions(await target.client(), {
    // A build that is cancelled while it waits leaves an invalid index; the watch knows that it blocks nobody.
    lockTimeoutMs: isConcurrent ? undefined : lockTimeoutMs,
    statementTimeoutMs,
  });
  const options = (await takesOptions(target.address, words)) ? words : undefined;
  const url = settings["database-url"] ?? environment[databaseVariable(settings)] ?? "";
  const isKept =
    target.project.environmentFiles.every((file) => keepsOneTransaction(textOfFile(file))) &&
    elsewhere.every(({ text }) => worksInOneTransaction(text));
  const repeatable =
    job.reverse === undefined
      ? isKept && sources.every(({ text }) => worksInOneTransaction(text))
      : !sources.some(({ text }) => isWithoutTransaction(text));
  const begun = new Set<string>();
  const databases = databasesAtWork(job, applicationName);
  const reporter = new Reporter(job, sources, begun, isKept, databases);
  await requireUnchanged(job);

  let ended: MigrationResult | undefined;
  const unregister = registerCleanup({
    async run() {
      reporter.isInterrupted = true;
      if (ended !== undefined) {
        await reporter.report(ended, interruptedVerify);
        return;
      }
      // A server that is out of reach must not keep the tool alive, nor the record from being written.
      const client = await Promise.race([target.client().catch(() => undefined), sleep(reachLimitMs)]);
      if (client === undefined) {
        await terminateForGood();
        await reporter.report(endedBySignal(false), interruption, false);
        return;
      }
      await Promise.race([Promise.all(databases.map(noteLate)), sleep(lateLimitMs)]);
      await terminateForGood();
      const [own, ...others] = databases;
      // The report waits for these, and not for long.
      for (const other of others) void endForGood(other);
      const gone = await endForGood(own);
      await reporter.report(endedBySignal(gone), interruption);
    },
    runNow: () => undefined,
  });
  try {
    ended = await migrate({
      argv: [...target.run, ...job.words],
      cwd: target.project.root,
      env: toolEnvironment(environment, settings, target.address, {
        url,
        options,
        applicationName,
        linesOf: defaultDatabase(job),
      }),
      databases,
      applicationName,
      lockTimeoutMs,
      statementTimeoutMs,
      timeoutMs: settings["apply-timeout"] * 1000,
      tries: settings["lock-tries"],
      repeatable,
      writesRows: [...sources, ...elsewhere].some(({ text }) => writesRows(text)),
      dropInvalidIndexes: settings["drop-invalid-indexes"],
      lock: job.lock,
      ...ownWork(job, {
        applicationName,
        options,
        lockTimeoutMs: isConcurrent ? undefined : lockTimeoutMs,
        statementTimeoutMs,
      }),
      isOver: async () => {
        const now = await reporter.seenNow();
        if (now === undefined || isAt(target.graph, now.heads, job.applied)) return true;
        // Where the words say "one back", a second start from elsewhere would take back what nobody asked for.
        return job.command === "rollback" && (await hasMoved(job));
      },
      say: job.listener.say,
      onLine: (line) => {
        job.listener.onLine(line);
        const revision = job.revisions.find(({ id }) => id === target.tool.stepBegun(line));
        if (revision === undefined) return;
        begun.add(revision.id);
        const place = [...begun].indexOf(revision.id) + 1;
        job.listener.say(`revision ${place} of ${job.revisions.length}: ${revision.id}`);
      },
    });
    const report = await reporter.report(ended);
    const [own, ...others] = databases;
    if (!ended.sessionsLeft) own.note.end();
    if (!ended.sessionsLeftElsewhere) for (const { note } of others) note.end();
    return report;
  } finally {
    unregister();
  }
}

/** The tool's sessions in a database, and what was noted of them; true where none is left. */
async function endForGood(database: AtWork): Promise<boolean> {
  const gone = await endSessions(database, 0);
  if (gone) database.note.end();
  return gone;
}

/** The setting env means the default database, whichever was asked for. */
function defaultDatabase({ others = [], settings, environment }: Job) {
  const found = others.find(({ name }) => name === "")?.target.address;
  const url = environment[settings["database-url-env"]];
  return found === undefined || url === undefined ? undefined : { url, address: found };
}

/** Between the first look and now lay a question and a backup, perhaps hours; only gates wait for the lock. */
async function requireUnchanged(job: Job): Promise<void> {
  for (const { target, seen } of databasesOf(job)) {
    const now = await target.seen(seen.versionTable);
    const [before, after] = [seen, now].map(({ heads }) => [...heads].sort().join(", ") || "nothing");
    if (before === after) continue;
    throw new UserError({
      what: `Somebody else changed the database while this ${job.command} made its backup. Nothing of it was started.`,
      where: target.where,
      seen: `The version table held ${before}; now it holds ${after}.`,
      do: "Look at migration-gate status, and run it again if it is still wanted.",
    });
  }
}

/** The own one, and those that the same start of the tool migrates. */
function databasesOf(job: Job): readonly Pick<Job, "target" | "seen">[] {
  return [job, ...(job.others ?? [])];
}

/** True where one of them is not where it was, or cannot be read. */
async function hasMoved(job: Job): Promise<boolean> {
  for (const { target, seen } of databasesOf(job)) {
    const now = await target.seen(seen.versionTable).catch(() => undefined);
    if (now === undefined || !isAt(target.graph, now.heads, target.graph.applied(seen.heads))) return true;
  }
  return false;
}

/** Of what runs in other databases only, which may be further behind. */
function sourcesElsewhere(job: Job): RevisionSource[] {
  const own = new Set(job.revisions.map(({ id }) => id));
  const pending = (job.others ?? []).flatMap(({ goal }) => goal.pending).filter(({ id }) => !own.has(id));
  return pending.map((revision) => sourceOf(job, revision));
}

/** What is run: the revision's file, or its reverse. */
function sourceOf({ target, reverse }: Job, { location }: Revision): RevisionSource {
  const file = reverse ?? location.file;
  return revisionSource(target.project, { location: { ...location, file } });
}

/** What the gate runs itself where there is a reverse that the tool cannot run. */
function ownWork(
  { target, seen, revisions: [revision], reverse, settings }: Job,
  session: Pick<TakeBack, "applicationName" | "options" | "lockTimeoutMs" | "statementTimeoutMs">,
): Pick<MigrationOptions, "own"> {
  if (reverse === undefined || revision === undefined) return {};
  const { text } = revisionSource(target.project, { location: { ...revision.location, file: reverse } });
  const timeoutMs = settings["apply-timeout"] * 1000;
  const work = { ...session, target, seen, revision: revision.id, file: reverse, text, timeoutMs };
  return { own: (abort) => takeBack(work, abort) };
}

const noEnd: CommandResult = {
  exitCode: null,
  signal: "SIGTERM",
  output: "",
  outputCut: false,
  milliseconds: 0,
  timedOut: false,
};

/** The gate's own clean-up has 8 s in all (shadow/cleanup.ts). */
const reachLimitMs = 2_000;
const lateLimitMs = 1_000;

/** `gone`: none of the tool's sessions is at work any more. */
const endedBySignal = (gone: boolean): MigrationResult => ({
  last: noEnd,
  tries: 1,
  waits: [],
  limit: undefined,
  invalidIndexes: [],
  invalidElsewhere: [],
  unvalidated: [],
  isWatched: true,
  sessionsLeft: !gone,
  sessionsLeftElsewhere: true,
});

const interruption: Problem = {
  what: "The gate was ended by a signal while the tool was at work; the tool was ended too.",
  do: "Run the same job again: it starts where this one stopped.",
};

const interruptedVerify: Problem = {
  what: "The gate was ended by a signal while it looked at what the tool had done; the tool had ended before.",
  do: "Run the same job again: where nothing is pending any more, it says so.",
};
