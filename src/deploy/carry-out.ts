import { randomBytes } from "node:crypto";
import { readCatalog } from "../databases/postgres/catalog/full-read";
import { catalogSession } from "../databases/postgres/catalog/session";
import { connect } from "../databases/postgres/connection";
import { close, within } from "../databases/postgres/own-session";
import { bugParts, UserError } from "../errors";
import { type CommandResult, commandPorts, terminateForGood } from "../executors/local";
import type { Catalog } from "../model/catalog";
import type { BackupReport, DeployReport, Problem } from "../model/deployment";
import type { Revision } from "../model/revision";
import type { Settings } from "../settings";
import { registerCleanup } from "../shadow/cleanup";
import { type RevisionSource, revisionSource } from "../tools/revision-source";
import { driftFrom, newDrift } from "./compare-with-proof";
import type { Drift } from "./drift";
import type { GateLock } from "./gate-lock";
import { isAt } from "./goal";
import { halfWay } from "./half-way";
import { type MigrationOptions, type MigrationResult, migrate } from "./migrate";
import { type AfterMigration, problemsAfter, stateAfter } from "./outcome";
import type { ProofFile } from "./proof";
import { buildsConcurrently, worksInOneTransaction } from "./repeatable";
import { RunningNote } from "./running-note";
import type { SeenDatabase } from "./status";
import { type TakeBack, takeBack } from "./take-back";
import type { Target } from "./target";
import { sessionOptions, takesOptions, toolEnvironment } from "./tool-environment";
import { endToolSessions, sessionsByPort, toolSessionName } from "./tool-sessions";

/** What a person or a workflow sees while it runs. */
export interface Listener {
  /** A sentence on what is done now. */
  say(text: string): void;
  /** A line of the tool's output. */
  onLine(line: string): void;
  /** Writes the record and returns its path; it takes secrets out. */
  record(report: DeployReport): string;
}

/** A write of the database by the tool, all questions asked and the backup taken. */
export interface Job {
  readonly command: DeployReport["command"];
  readonly target: Target;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly seen: SeenDatabase;
  /** Every revision that is to be applied in the end. */
  readonly applied: ReadonlySet<string>;
  /** What the version table is to hold in the end. */
  readonly goalHeads: readonly string[];
  /** What is done, in its order. */
  readonly revisions: readonly Revision[];
  /** The tool's arguments. */
  readonly words: readonly string[];
  /** The reverse that the gate runs instead of the tool, as the project names it. */
  readonly reverse?: string | undefined;
  /** The database's schema before. */
  readonly catalog: Catalog;
  /** Where the setting proof names one. */
  readonly proof: ProofFile | undefined;
  readonly backup: BackupReport;
  readonly warnings: readonly Problem[];
  readonly lock: GateLock;
  readonly listener: Listener;
  /** performance.now() at the command's start. */
  readonly started: number;
}

/**
 * Starts the tool and tells what became of the database, by the version table and the catalog. Never throws for what
 * happens after the tool was started: then there is a report and a record, also when a signal ends this process.
 */
export async function carryOut(job: Job): Promise<DeployReport> {
  const { settings, environment, target } = job;
  const sources = job.revisions.map((revision) => sourceOf(job, revision));
  const isConcurrent = sources.some(({ text }) => buildsConcurrently(text));
  const lockTimeoutMs = settings["lock-timeout"] * 1000;
  const statementTimeoutMs = settings["statement-timeout"] * 1000;
  const applicationName = `${toolSessionName} ${randomBytes(4).toString("hex")}`;
  const words = await sessionOptions(await target.client(), {
    // A build that is cancelled while it waits leaves an invalid index; the watch knows that it blocks nobody.
    lockTimeoutMs: isConcurrent ? undefined : lockTimeoutMs,
    statementTimeoutMs,
  });
  const options = (await takesOptions(target.address, words)) ? words : undefined;
  const url = settings["database-url"] ?? environment[settings["database-url-env"]] ?? "";
  const repeatable = job.reverse !== undefined || sources.every(({ text }) => worksInOneTransaction(text));
  const begun = new Set<string>();
  const reporter = new Reporter(job, sources, begun);

  const note = new RunningNote(settings["record-directory"], databaseOf(target));
  let interrupted = false;
  const unregister = registerCleanup({
    async run() {
      interrupted = true;
      const client = await target.client();
      // One that began a moment ago was not seen by the watch.
      const late = await sessionsByPort(client, commandPorts(target.address.port)).catch(() => []);
      await terminateForGood();
      const sessions = { name: applicationName, others: [...note.sessions, ...late] };
      await endToolSessions(client, sessions, 0).catch(() => undefined);
      await reporter.report(endedBySignal, interruption);
      note.end();
    },
    runNow: () => undefined,
  });
  try {
    const result = await migrate({
      argv: [...target.run, ...job.words],
      cwd: target.project.root,
      env: toolEnvironment(environment, settings, target.address, { url, options, applicationName }),
      address: target.address,
      applicationName,
      lockTimeoutMs,
      statementTimeoutMs,
      timeoutMs: settings["apply-timeout"] * 1000,
      tries: settings["lock-tries"],
      repeatable,
      dropInvalidIndexes: settings["drop-invalid-indexes"],
      lock: job.lock,
      note,
      ...ownWork(job, { applicationName, options, lockTimeoutMs, statementTimeoutMs }),
      client: () => target.client(),
      isOver: async () => {
        const now = await reporter.seenNow();
        if (now === undefined || isAt(target.graph, now.heads, job.applied)) return true;
        // Where the words say "one back", a second start from elsewhere would take back what nobody asked for.
        return (
          job.command === "rollback" && !isAt(target.graph, now.heads, target.graph.applied(job.seen.heads))
        );
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
    if (interrupted) await new Promise<never>(() => undefined);
    const report = await reporter.report(result);
    if (!result.sessionsLeft) note.end();
    return report;
  } finally {
    unregister();
  }
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
  cpuMs: undefined,
};

const endedBySignal: MigrationResult = {
  last: noEnd,
  tries: 1,
  waits: [],
  limit: undefined,
  invalidIndexes: [],
  unvalidated: [],
  isWatched: true,
  sessionsLeft: false,
};

const notWatched: Problem = {
  what: "None of the tool's sessions was recognised in the database, so that no limit was kept for them.",
  why: "lock-timeout and statement-timeout held only where its driver reads PGOPTIONS.",
  do: "Let the tool connect from this machine, or with the application_name in PGAPPNAME; or set both limits for its role: ALTER ROLE … SET lock_timeout.",
};

const interruption: Problem = {
  what: "The gate was ended by a signal while the tool was at work; the tool was ended too.",
  do: "Run the same job again: it starts where this one stopped.",
};

function notValidated(names: readonly string[]): Problem {
  return {
    what: `Constraints are there and not validated: ${names.join(", ")}.`,
    why: "Rows from before them were not checked, and the planner does not rely on them.",
    do: "Validate them in a later revision: ALTER TABLE … VALIDATE CONSTRAINT …",
  };
}

/** Tells what became of the database. */
class Reporter {
  constructor(
    private readonly job: Job,
    private readonly sources: readonly RevisionSource[],
    /** Revisions that the tool was heard to begin. */
    private readonly begun: ReadonlySet<string>,
  ) {}

  /** Undefined where the version table cannot be read. */
  async seenNow(): Promise<SeenDatabase | undefined> {
    try {
      return await this.job.target.seen();
    } catch {
      return undefined;
    }
  }

  async report(result: MigrationResult, interrupted?: Problem): Promise<DeployReport> {
    const { job, sources } = this;
    const { target, seen } = job;
    const { graph } = target;
    const database = await this.seenNow();
    const heads = database?.heads;
    const now = heads === undefined ? undefined : graph.applied(heads);
    const isWhereItWas = heads !== undefined && isAt(graph, heads, graph.applied(seen.heads));
    const isDone = (id: string) => now !== undefined && now.has(id) === (job.command === "apply");
    const isAtGoal = heads !== undefined && isAt(graph, heads, job.applied);
    const catalog =
      database === undefined
        ? undefined
        : await catalogOf(target, database.versionTable).catch(() => undefined);
    const failure = this.failureOf(result);
    const after: AfterMigration = {
      result,
      heads,
      isAtGoal,
      isWhereItWas,
      leftovers: isWhereItWas && catalog !== undefined ? changedKeys(job.catalog, catalog) : [],
      unproved: isAtGoal && catalog !== undefined ? this.unproved(catalog) : [],
      repeatable: this.isKeptTogether(failure?.file),
      failure,
      revision: job.revisions.find(({ id }) => !isDone(id))?.id,
      command: job.reverse ?? [...target.run, ...job.words].join(" "),
      lockTimeoutMs: job.settings["lock-timeout"] * 1000,
      databaseUrlEnv: job.settings["database-url-env"],
    };
    const state = stateAfter(after);
    const standing = await this.standing(after, database);
    const report: DeployReport = {
      version: 1,
      command: job.command,
      outcome: state === "at target" ? "done" : "failed",
      state,
      database: seen.database,
      heads: { before: seen.heads, goal: job.goalHeads, after: heads },
      revisions: job.revisions.map(({ id, message, location }, index) => ({
        id,
        message,
        file: job.reverse ?? location.file,
        sha256: sources[index]?.sha256 ?? "",
        status: now === undefined ? "not known" : isDone(id) ? "done" : "not done",
      })),
      backup: job.backup,
      tries: result.tries,
      waits: result.waits,
      leftovers: after.leftovers,
      problems: [...(interrupted === undefined ? problemsAfter(after) : [interrupted]), ...standing],
      warnings: [
        ...job.warnings,
        ...(result.isWatched ? [] : [notWatched]),
        ...(result.unvalidated.length === 0 ? [] : [notValidated(result.unvalidated)]),
      ],
      next: nextSteps(state, job),
      milliseconds: Math.round(performance.now() - job.started),
      record: undefined,
    };
    return this.recorded(report);
  }

  /** What is there of a revision that is not applied, and how to go on from there. */
  private async standing(
    { isAtGoal, revision, result }: Pick<AfterMigration, "isAtGoal" | "revision" | "result">,
    database: SeenDatabase | undefined,
  ): Promise<Problem[]> {
    const { command, revisions, target } = this.job;
    const stopped = revisions.find(({ id }) => id === revision);
    if (command !== "apply" || isAtGoal || stopped === undefined || database === undefined) return [];
    const found = await halfWay(target, database, stopped).catch(() => undefined);
    // An index that this very run left is a problem of its own.
    const isTold = found?.present.every(
      ({ isInvalid, name }) => isInvalid && result.invalidIndexes.includes(name),
    );
    return found === undefined || isTold === true ? [] : [found.problem];
  }

  /** The database is what it is, with a record or without. */
  private recorded(report: DeployReport): DeployReport {
    try {
      return { ...report, record: this.job.listener.record(report) };
    } catch (error) {
      const { what, where, seen } = error instanceof UserError ? error.parts : bugParts(error);
      const missing: Problem = {
        what,
        ...(where === undefined ? {} : { where }),
        ...(seen === undefined ? {} : { seen }),
        why: "This run leaves no record beside what is printed here.",
        do: "Keep this output, and make record-directory a folder that can be written before the next run.",
      };
      return { ...report, warnings: [...report.warnings, missing] };
    }
  }

  /**
   * Whether all that ran is rolled back as a whole when it fails. What comes after the revision that failed did not run,
   * whatever it would have done.
   */
  private isKeptTogether(file: string | undefined): boolean {
    if (this.job.reverse !== undefined) return true;
    const { revisions, target } = this.job;
    const failed = revisions.find(({ location }) => location.file === file)?.id;
    const cameAfter = (id: string) =>
      failed !== undefined && id !== failed && target.graph.ancestors(id).has(failed) && !this.begun.has(id);
    return revisions.every(
      ({ id }, index) => worksInOneTransaction(this.sources[index]?.text ?? "") || cameAfter(id),
    );
  }

  /** What the migration made that the proof does not have. */
  private unproved(found: Catalog): Drift[] {
    const { proof, applied, target, seen, catalog } = this.job;
    if (proof === undefined) return [];
    const major = Number.parseInt(seen.database.server, 10);
    const drift = (state: Catalog, revisions: ReadonlySet<string>) => {
      const compared = driftFrom({ proof, found: state, applied: revisions, major }, new Set());
      return compared === undefined ? [] : [...compared.met, ...compared.beside];
    };
    return newDrift(drift(catalog, target.graph.applied(seen.heads)), drift(found, applied));
  }

  private failureOf({ last }: MigrationResult) {
    const { tool, project } = this.job.target;
    if (last.exitCode === 0) return undefined;
    return tool.explainFailure({ text: last.output, exitCode: last.exitCode }, project);
  }
}

function nextSteps(state: DeployReport["state"], { command, backup }: Job): string[] {
  if (state === "at target") return [];
  const steps = ["migration-gate status", `the same ${command} again, when it is mended`];
  if (state !== "unchanged" && backup.restore !== undefined) steps.push(`to go back: ${backup.restore}`);
  return steps;
}

function changedKeys(before: Catalog, now: Catalog): string[] {
  const keys = new Set([...before.keys(), ...now.keys()]);
  return [...keys].filter((key) => before.get(key) !== now.get(key)).sort();
}

/** Which database a note is of. */
export function databaseOf({ address: { host, port, database } }: Target): string {
  return `${host}:${port}/${database}`;
}

const catalogLimitMs = 120_000;

/** The database's schema without the tool's own table; on a connection of its own, because reading changes its settings. */
export async function catalogOf(
  { address }: Target,
  versionTable: SeenDatabase["versionTable"],
): Promise<Catalog> {
  const client = await connect(address, { applicationName: "migration-gate observer" });
  try {
    return await within(client, readCatalog(catalogSession(client), versionTable), catalogLimitMs);
  } finally {
    await close(client);
  }
}
