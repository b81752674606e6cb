import type { PreparedBackup } from "../backup/request";
import type { GateLock } from "../deploy/gate-lock";
import type { Goal } from "../deploy/goal";
import type { OtherJob } from "../deploy/job";
import { firstTwice } from "../deploy/same-database";
import type { SeenDatabase } from "../deploy/status";
import type { Target } from "../deploy/target";
import { UserError } from "../errors";
import type { DeployReport, Problem } from "../model/deployment";
import type { Settings } from "../settings";
import { bindLabel } from "../settings/binds";
import { backupFor, lockDatabase, requireReady, seenByKnownSource, type WriteContext } from "./before-write";

/** One of the other databases of a project, connected. */
interface Other {
  readonly name: string;
  readonly target: Target;
  /** As they are for that database. */
  readonly settings: Settings;
}

/** Where it is, and what the same start of the tool will do there. */
export interface SeenOther extends Other {
  readonly seen: SeenDatabase;
  readonly goal: Goal;
}

/**
 * The databases that the tool migrates together with the one that the settings name, whoever asked for which: none of them is
 * written without what comes before a write.
 */
export class OtherDatabases implements AsyncDisposable {
  private constructor(
    private readonly context: WriteContext,
    private readonly others: Other[],
  ) {}

  /** Connects to each by `open`. A UserError where an address is not given: the tool would go wherever the project leads it. */
  static async open(
    context: WriteContext,
    own: Target,
    open: (settings: Settings) => Promise<Target>,
  ): Promise<OtherDatabases> {
    const { settings, environment } = context;
    const binds = own.project.bind?.others ?? [];
    for (const { name, variable } of binds) {
      if ((environment[variable] ?? "") !== "") continue;
      throw new UserError({
        what: `The tool migrates the database "${bindLabel(name)}" too, and ${variable} is not set.`,
        where: own.project.config,
        why: "It would be migrated wherever the project takes that address from, without a backup.",
        do: `Put its address into ${variable}.`,
      });
    }
    const others: Other[] = [];
    const opened = new OtherDatabases(context, others);
    try {
      for (const { name } of binds) {
        const itsOwn = settingsOf(settings, name);
        const target = await ofDatabase(name, () => open(itsOwn));
        others.push({ name, target, settings: itsOwn });
      }
      await requireOwnPlaces(own, others);
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where each is, and its goal by `goalFor`. A UserError where it holds what the source does not have. */
  look(goalFor: (seen: SeenDatabase) => Goal): Promise<readonly SeenOther[]> {
    return eachOf(this.others, async (other) => {
      const seen = await seenByKnownSource(other.target);
      return { ...other, seen, goal: goalFor(seen) };
    });
  }

  /**
   * The gate's lock on each and on `own`, always in the same order: two gates that each hold one would wait for each other.
   */
  async lock(own: Target, command: DeployReport["command"]): Promise<HeldLocks> {
    const { settings, listener } = this.context;
    const ownName = own.project.bind?.name ?? "";
    const all = [{ name: ownName, target: own }, ...this.others];
    const held = new Map<string, GateLock>();
    const release = async () => {
      for (const lock of held.values()) await lock[Symbol.asyncDispose]();
    };
    try {
      for (const { name, target } of all.sort((one, other) => (one.name < other.name ? -1 : 1)))
        held.set(name, await lockDatabase(target, settings, command, listener.say));
    } catch (error) {
      await release();
      throw error;
    }
    return {
      own: together(held.get(ownName) as GateLock, [...held.values()]),
      of: (name) => held.get(name) as GateLock,
      [Symbol.asyncDispose]: release,
    };
  }

  /** Preflight of each in which something is to be done, and all that its backup needs. */
  async prepare(
    seen: readonly SeenOther[],
    locks: HeldLocks,
    writes: DeployReport["command"],
  ): Promise<PreparedOthers> {
    const { context } = this;
    const { settings } = context;
    const prepared = await eachOf(seen, async (other) => {
      const { name, target, goal } = other;
      if (goal.pending.length === 0) return { other, warnings: [], backup: undefined };
      const ready = { settings, writes, revisions: goal.pending };
      const warnings = await requireReady(target, other.seen, locks.of(name), ready);
      return {
        other,
        warnings,
        backup: await backupFor(context, target, other.seen, writes === "apply" ? goal.pending : []),
      };
    });
    return {
      lines: prepared.flatMap(({ other, backup }) =>
        backup === undefined
          ? []
          : [`also     database "${bindLabel(other.name)}": ${idsOf(other)}; backup ${backup.description}`],
      ),
      places: prepared.flatMap(({ other, backup }) => (backup === undefined ? [] : [other.target.where])),
      warnings: prepared.flatMap(({ other, warnings }) =>
        warnings.map((problem) => inDatabase(other.name, problem)),
      ),
      take: () => eachOf(prepared.map(asJob), (job) => job.taken()),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { target } of this.others) await target[Symbol.asyncDispose]();
  }
}

/** The own one, which is lost where any of them is: nobody else keeps a second gate from that database. */
function together(own: GateLock, all: readonly GateLock[]): GateLock {
  if (all.length === 1) return own;
  return {
    pid: own.pid,
    lost: AbortSignal.any(all.map(({ lost }) => lost)),
    async assertHeld() {
      for (const lock of all) await lock.assertHeld();
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

interface HeldLocks extends AsyncDisposable {
  readonly own: GateLock;
  of(name: string): GateLock;
}

export interface PreparedOthers {
  /** What a person is told before the question. */
  readonly lines: readonly string[];
  /** Which databases are written beside the own one. */
  readonly places: readonly string[];
  readonly warnings: readonly Problem[];
  /** Takes the backups, one after the other. */
  take(): Promise<readonly OtherJob[]>;
}

/** A job that ends well says that the deploy may go on: with something pending in another of the databases it may not. */
export function requireNothingElsewhere(others: readonly SeenOther[]): void {
  const behind = others.filter(({ goal }) => goal.pending.length > 0);
  const [first] = behind;
  if (first === undefined) return;
  throw new UserError({
    what: `Nothing is pending in the database that was asked for, and in another one ${idsOf(first)} ${first.goal.pending.length === 1 ? "is" : "are"}: "${bindLabel(first.name)}".`,
    where: behind.map(({ target }) => target.where).join(" and "),
    why: "A release that needs all databases would meet one that is behind.",
    do: `Apply them there: migration-gate apply --bind ${bindLabel(first.name)}`,
  });
}

/** The ids of what is to be done there, for a plan. */
export function plannedElsewhere(others: readonly SeenOther[]) {
  return others.map(({ name, goal }) => ({
    bind: bindLabel(name),
    pending: goal.pending.map(({ id }) => id),
  }));
}

function idsOf({ goal }: SeenOther): string {
  return goal.pending.map(({ id }) => id).join(", ");
}

function asJob({
  other,
  backup,
}: {
  readonly other: SeenOther;
  readonly backup: PreparedBackup | undefined;
}) {
  const { name } = other;
  return { name, taken: async (): Promise<OtherJob> => ({ ...other, backup: await backup?.take() }) };
}

/** The settings as they are for that database. */
function settingsOf(settings: Settings, name: string): Settings {
  return { ...settings, bind: name === "" ? undefined : name, "database-url": undefined };
}

/** Two databases in one would share a version table, and the tool would wait for itself. */
async function requireOwnPlaces(own: Target, others: readonly Other[]): Promise<void> {
  const twice = await firstTwice([own, ...others.map(({ target }) => target)]);
  const other = others.find(({ target }) => target === twice);
  if (other === undefined) return;
  throw new UserError({
    what: `The database "${bindLabel(other.name)}" is at the same place as another one of this project.`,
    where: other.target.where,
    seen: `The addresses are ${[own, ...others.map(({ target }) => target)].map(({ where }) => where).join(", ")}.`,
    why: "Both would have one version table, and the tool would wait for its own lock.",
    do: "Give each database of the project an address of its own.",
  });
}

async function eachOf<Item extends { readonly name: string }, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await ofDatabase(item.name, () => work(item)));
  return results;
}

/** A refusal says in which database it was. */
async function ofDatabase<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(inDatabase(name, error.parts), { cause: error });
  }
}

function inDatabase(name: string, problem: Problem): Problem {
  const label = `database "${bindLabel(name)}"`;
  return { ...problem, where: problem.where === undefined ? label : `${label}, ${problem.where}` };
}
