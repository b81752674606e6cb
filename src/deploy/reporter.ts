import { bugParts, UserError } from "../errors";
import { isWithoutTransaction } from "../lanes/own-way-back";
import type { Catalog } from "../model/catalog";
import type { DeployReport, OtherDatabase, Problem } from "../model/deployment";
import { majorOf } from "../model/status";
import { databaseVariable } from "../settings/binds";
import type { RevisionSource } from "../tools/revision-source";
import type { AtWork } from "./at-work";
import { catalogOf } from "./catalog-of";
import { allDrift, newDrift } from "./compare-with-proof";
import type { Drift } from "./drift";
import { isAt } from "./goal";
import { halfWay } from "./half-way";
import type { Job } from "./job";
import type { MigrationResult } from "./migrate";
import { othersAfter, othersIn, withOthers } from "./others-after";
import { type AfterMigration, doubtsAfter, invalidLeft, problemsAfter, stateAfter } from "./outcome";
import { worksInOneTransaction } from "./repeatable";
import type { SeenDatabase } from "./status";

const notWatched: Problem = {
  what: "None of the tool's sessions was recognised in the database, so that no limit was kept for them.",
  why: "lock-timeout and statement-timeout held only where its driver reads PGOPTIONS.",
  do: "Let the tool connect from this machine, or with the application_name in PGAPPNAME; or set both limits for its role: ALTER ROLE … SET lock_timeout.",
};

function notValidated(names: readonly string[]): Problem {
  return {
    what: `Constraints are there and not validated: ${names.join(", ")}.`,
    why: "Rows from before them were not checked, and the planner does not rely on them.",
    do: "Validate them in a later revision: ALTER TABLE … VALIDATE CONSTRAINT …",
  };
}

/** Tells what became of the database. */
export class Reporter {
  /** A signal ends this process: its clean-up reports, and nobody else. */
  isInterrupted = false;

  constructor(
    private readonly job: Job,
    private readonly sources: readonly RevisionSource[],
    /** Revisions that the tool was heard to begin. */
    private readonly begun: ReadonlySet<string>,
    /** False where the project's environment commits by itself. */
    private readonly isKept: boolean,
    private readonly databases: readonly AtWork[],
  ) {}

  /** Undefined where the version table cannot be read. */
  async seenNow(): Promise<SeenDatabase | undefined> {
    try {
      return await this.job.target.seen(this.job.seen.versionTable);
    } catch {
      return undefined;
    }
  }

  async report(
    result: MigrationResult,
    interrupted?: Problem,
    isReached: boolean = true,
  ): Promise<DeployReport> {
    const { job, sources } = this;
    const { target, seen } = job;
    const { graph } = target;
    const database = isReached ? await this.seenNow() : undefined;
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
      isCompared: catalog !== undefined || !(isWhereItWas || (isAtGoal && job.proof !== undefined)),
      repeatable: this.isKeptTogether(failure?.file),
      failure,
      revision: this.stoppedAt(failure?.file, isDone),
      command: job.reverse ?? [...target.run, ...job.words].join(" "),
      lockTimeoutMs: job.settings["lock-timeout"] * 1000,
      lockTries: job.settings["lock-tries"],
      databaseUrlEnv: databaseVariable(job.settings),
    };
    const others = await othersAfter(job, this.databases, result, isReached);
    const own = stateAfter(after);
    const { state, problem: elsewhere } = withOthers(job.command, own, others);
    const backups = [{ state: own, backup: job.backup }, ...others];
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
      problems: [
        ...(elsewhere === undefined ? [] : [elsewhere]),
        ...(interrupted === undefined ? problemsAfter(after) : [interrupted, ...doubtsAfter(after)]),
        ...(interrupted === undefined ? await this.standing(after, database) : []),
        ...result.invalidElsewhere.map(({ bind, names }) => invalidLeft(names, `database "${bind}"`)),
      ],
      warnings: [
        ...job.warnings,
        ...(result.isWatched ? [] : [notWatched]),
        ...(result.unvalidated.length === 0 ? [] : [notValidated(result.unvalidated)]),
      ],
      next: nextSteps(state, job, elsewhere === undefined ? job.command : undefined, backups),
      milliseconds: Math.round(performance.now() - job.started),
      record: undefined,
      ...othersIn(job, others),
    };
    if (this.isInterrupted && interrupted === undefined) await new Promise<never>(() => undefined);
    return this.recorded(report);
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

  /** The revision that failed; where its file is not known the last one that was begun, else the first that is not done. */
  private stoppedAt(file: string | undefined, isDone: (id: string) => boolean): string | undefined {
    const open = this.job.revisions.filter(({ id }) => !isDone(id));
    const last = [...this.begun].at(-1);
    const found = open.find(({ location }) => location.file === file) ?? open.find(({ id }) => id === last);
    return (found ?? open[0])?.id;
  }

  /**
   * Whether all that ran is rolled back as a whole when it fails. What comes after the revision that failed did not run,
   * whatever it would have done.
   */
  private isKeptTogether(file: string | undefined): boolean {
    const { revisions, target } = this.job;
    const failed = revisions.find(({ location }) => location.file === file)?.id;
    const cameAfter = (id: string) =>
      failed !== undefined && id !== failed && target.graph.ancestors(id).has(failed) && !this.begun.has(id);
    if (this.job.reverse !== undefined) return !this.sources.some(({ text }) => isWithoutTransaction(text));
    if (!this.isKept) return false;
    return revisions.every(
      ({ id }, index) => worksInOneTransaction(this.sources[index]?.text ?? "") || cameAfter(id),
    );
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

  /** What the migration made that the proof does not have. */
  private unproved(found: Catalog): Drift[] {
    const { proof, applied, target, seen, catalog } = this.job;
    if (proof === undefined) return [];
    const major = majorOf(seen.database);
    const before = { proof, found: catalog, applied: target.graph.applied(seen.heads), major };
    return newDrift(allDrift(before), allDrift({ proof, found, applied, major }));
  }

  private failureOf({ last }: MigrationResult) {
    const { tool, project } = this.job.target;
    if (last.exitCode === 0) return undefined;
    return tool.explainFailure({ text: last.output, exitCode: last.exitCode }, project);
  }
}

/** Without `again` a problem says how to go on; only a database that was changed is one to restore. */
function nextSteps(
  state: DeployReport["state"],
  { afterwards = [] }: Job,
  again: Job["command"] | undefined,
  databases: readonly (Pick<OtherDatabase, "backup"> & Pick<DeployReport, "state">)[],
): readonly string[] {
  if (state === "at target") return afterwards;
  const restores = databases.flatMap((each) =>
    each.state === "unchanged" ? [] : (each.backup?.restore ?? []),
  );
  return [
    "migration-gate status",
    ...(again === undefined ? [] : [`the same ${again} again, when it is mended`]),
    ...restores.map((line) => `to go back: ${line}`),
  ];
}

function changedKeys(before: Catalog, now: Catalog): string[] {
  const keys = new Set([...before.keys(), ...now.keys()]);
  return [...keys].filter((key) => before.get(key) !== now.get(key)).sort();
}
