import path from "node:path";
import { ToolError } from "../errors";
import { DifferenceTracker, differencesOf, invertDelta, mergeDeltas } from "../evidence/deltas";
import type { RecordedStep } from "../evidence/steps";
import { ownTransactionEnd } from "../evidence/transaction-ends";
import { textOfFile } from "../executors/readable-files";
import type { CatalogDelta } from "../model/catalog";
import type { Difference, StepFailure } from "../model/evidence";
import { upgradeWords } from "../tools/own-words";
import { culpritsOf, failureOf, ownersOf, refusedTogether } from "./blame";
import { doubtOf } from "./doubt";
import type { Ledger } from "./ledger";
import { type LaneContext, type Leg, Stage } from "./stage";
import { isError, isHard, isOnlyValidated, isOrder } from "./weights";

/** A way up to `tops`, down to `floor`, and up again. */
export interface Route {
  readonly tops: readonly string[];
  /** The revision that stays applied; undefined goes down to base. */
  readonly floor: string | undefined;
}

/** Downgrades that stop are tried again with the floor just above, at most this often. */
const maximumFloors = 5;

/**
 * Proves one route on a database of its own and enters what it saw into the ledger. Only steps that were
 * committed count; what could not be told apart here stays open, for a route of its own.
 */
export async function runSegment(
  context: LaneContext,
  ledger: Ledger,
  route: Route,
  purpose: string,
  opened?: Stage,
): Promise<Leg[]> {
  let { floor } = route;
  let thorough: string | undefined;
  const legs: Leg[] = [];
  for (let attempt = 0; attempt < maximumFloors; attempt++) {
    await using fresh =
      attempt === 0 && opened !== undefined ? undefined : await Stage.open(context, purpose);
    const stage = fresh ?? opened;
    if (stage === undefined) break;
    const segment = new Segment(context, ledger, stage, route.tops, legs);
    const known = ledger.facts().length;
    const outcome = await segment.run(floor, thorough !== undefined);
    if (thorough !== undefined && ledger.facts().length === known) ledger.unsteady.push(thorough);
    if (outcome === "done" || (outcome.floor === floor && outcome.thorough === thorough)) return legs;
    ({ floor } = outcome);
    thorough = outcome.thorough;
  }
  return legs;
}

/** The floor to try on a new database, and why its second way up is to be read at every boundary, if it is. */
interface NextTry {
  readonly floor: string | undefined;
  readonly thorough: string | undefined;
}

class Segment {
  /** What each revision changed on its first way up. */
  private readonly upgrades = new Map<string, CatalogDelta>();
  private readonly hard = new DifferenceTracker();
  private readonly order = new DifferenceTracker();
  /** Failures that may be due to what others had left. */
  private readonly suspicions = new Map<string, { failure: StepFailure; owners: readonly string[] }>();
  /** Revisions whose own changes could not be told from those of others. */
  private readonly untrusted = new Set<string>();
  private readonly undone: { step: RecordedStep; masked: boolean }[] = [];

  constructor(
    private readonly context: LaneContext,
    private readonly ledger: Ledger,
    private readonly stage: Stage,
    private readonly tops: readonly string[],
    private readonly legs: Leg[],
  ) {}

  async run(floor: string | undefined, thorough: boolean): Promise<"done" | NextTry> {
    if (!(await this.goUp())) return "done";
    // Nothing stands above the floor: two starts of the tool would do nothing.
    if (this.stage.heads.join() === floor) return "done";
    const again = await this.goDown(floor);
    if (again !== undefined) return { ...again, thorough: undefined };
    const why = thorough || !this.isClean() ? await this.goUpAgain() : await this.goUpAtOnce();
    return why === undefined ? "done" : { floor, thorough: why };
  }

  /** Nothing was left by any downgrade, and nothing hid what another one did. */
  private isClean(): boolean {
    return (
      this.hard.current.length === 0 &&
      this.suspicions.size === 0 &&
      this.undone.every(({ masked }) => !masked)
    );
  }

  /**
   * The second way up of a clean project: every revision must be passed, and the catalog at the top must be what the
   * first way led to. What was otherwise, where it was: then every boundary has to tell which revision it is.
   */
  private async goUpAtOnce(): Promise<string | undefined> {
    const passed = new Set<string>();
    for (const top of this.tops) {
      const leg = await this.go("upgrade", top, true);
      if (leg.failure !== undefined) return `the second upgrade failed: ${leg.failure.summary}`;
      // What was not seen stays open, and to read more boundaries would not help.
      if (leg.steps.length === 0 || leg.bypassed !== undefined) return undefined;
      const expected: CatalogDelta[] = [];
      for (const step of leg.steps) {
        const upgrade = this.upgrades.get(step.revision);
        if (upgrade === undefined || step.outcome !== "committed") return undefined;
        if (doubtOf({ ...leg, tail: [] }, step) !== undefined) return undefined;
        expected.push(upgrade);
        passed.add(step.revision);
      }
      const [difference, ...more] = differencesOf(
        mergeDeltas(expected).filter(isHard),
        leg.tail.filter(isHard),
      );
      if (difference !== undefined)
        return `the second upgrade led to another ${difference.key}${more.length > 0 ? `, and ${more.length} more` : ""}`;
    }
    for (const { step } of this.undone)
      if (passed.has(step.revision)) this.ledger.settle(step.revision, "downgrade", "proved");
    return undefined;
  }

  private async goUp(): Promise<boolean> {
    for (const top of this.tops) {
      const leg = await this.go("upgrade", top);
      this.requireArrival(leg, top);
      this.takeUp(leg);
      if (leg.failure === undefined) continue;
      if (await this.findRefused(leg)) return false;
      const failure = failureOf(this.context, leg, false);
      if (failure !== undefined) this.ledger.fail(failure);
      return false;
    }
    return true;
  }

  private takeUp(leg: Leg): void {
    for (const step of leg.steps) {
      if (step.doubts.length > 0 || leg.unexplained.length > 0) this.untrusted.add(step.revision);
      this.upgrades.set(step.revision, step.changes);
      this.noteTransactionEnd(step);
      if (step.outcome !== "committed") continue;
      const doubt = doubtOf(leg, step);
      if (doubt === undefined) this.ledger.settle(step.revision, "upgrade", "proved");
      else this.ledger.settle(step.revision, "upgrade", "not proved", doubt);
    }
  }

  /** Of several revisions in one transaction whose COMMIT the server refuses, halving the way finds the one. */
  private async findRefused(together: Leg): Promise<boolean> {
    const revisions = refusedTogether(together).filter((id) => upgradeWords(this.context, id) !== undefined);
    let [low, high] = [0, revisions.length];
    while (low < high) {
      const target = revisions[(low + high - 1) >> 1];
      if (target === undefined) break;
      const leg = await this.stage.go("upgrade", target);
      if (leg.failure === undefined) {
        this.takeUp(leg);
        low = revisions.indexOf(target) + 1;
        continue;
      }
      const failure = failureOf(this.context, leg, false);
      if (failure !== undefined) {
        // What was tried together told nothing.
        this.legs[this.legs.indexOf(together)] = leg;
        this.ledger.fail(failure);
        return true;
      }
      if (refusedTogether(leg).length === 0 || high - low === 1) break;
      high = revisions.indexOf(target) + 1;
    }
    return false;
  }

  /** An upgrade that ends well and moves nothing here moved something elsewhere: a downgrade must not follow it. */
  private requireArrival(leg: Leg, top: string): void {
    const { context, stage } = this;
    if (leg.failure !== undefined || leg.steps.length > 0 || stage.heads.length > 0) return;
    if (leg.recording.boundaries.some(({ heads }) => heads.length > 0)) return;
    const command = [...context.run, ...(upgradeWords(context, top) ?? [])].join(" ");
    throw new ToolError({
      what: `"${command}" ended well and applied no revision to the shadow database, so nothing was downgraded.`,
      where: context.project.config,
      seen: lastLinesOf(leg) || "It printed nothing.",
      why: "The revisions may have gone to another database, whose address the project takes from elsewhere; a downgrade would empty it.",
      do: `Let the revisions run on the address in ${context.address.databaseUrlEnv}, or set database-url-env or env to the variables from which it takes the address.`,
    });
  }

  /**
   * Down to the floor. Where a revision stops the way, those above it are brought down first, then what they left
   * is removed, and the way goes on. Returns the floor to try on a new database when this one cannot be used.
   */
  private async goDown(floor: string | undefined): Promise<{ floor: string } | undefined> {
    let target = floor;
    const stoppedBefore = new Set<string>();
    for (;;) {
      if (target !== undefined && this.tops.includes(target)) return undefined;
      const leg = await this.go("downgrade", target ?? "base");
      const standing = this.differencesAtEnd(leg, this.downgradeOf);
      this.takeDown(leg);
      if (leg.failure === undefined) {
        if (target === floor || !(await this.removeResidue())) return undefined;
        target = floor;
        continue;
      }
      const failure = failureOf(this.context, leg, false);
      if (failure === undefined) return undefined;
      this.blame(failure, standing);
      // What a stopped revision left of itself would be taken for the residue of others.
      if (leg.tail.length > 0) return { floor: failure.revision };
      const above = leg.steps.some((step) => step.outcome === "rolled back");
      const key = `${failure.revision} ${above}`;
      if (stoppedBefore.has(key)) return undefined;
      stoppedBefore.add(key);
      if (above) target = failure.revision;
      else if (standing.length > 0 && (await this.removeResidue())) target = floor;
      else return undefined;
    }
  }

  private noteTransactionEnd(step: RecordedStep): void {
    const { revision, direction } = step;
    const { graph, project } = this.context;
    const textOf = (file: string) => textOfFile(path.resolve(project.root, file));
    const ended = ownTransactionEnd(step, graph.get(revision), textOf);
    if (ended === undefined) return;
    this.ledger.note({ kind: "transaction ended", revision, direction, sql: ended.sql });
  }

  /** True when something could be removed, and the way is open for the others. */
  private async removeResidue(): Promise<boolean> {
    const left = this.hard.current.filter(
      ({ expected, found }) => expected === undefined && found !== undefined,
    );
    if (left.length === 0) return false;
    const removed = await this.stage.remove(left.map(({ key }) => key));
    this.hard.mend(removed);
    return removed.length > 0;
  }

  /** Follows the steps that were committed; what each left is its own, unless it worked on what another had left. */
  private takeDown(leg: Leg): void {
    for (const step of leg.steps) {
      if (step.outcome !== "committed") continue;
      const { revision } = step;
      this.noteTransactionEnd(step);
      this.confirmSuspicion(step);
      const { masked } = this.hard.step(revision, this.downgradeOf(step), step.changes.filter(isHard));
      const expectedOrder = (
        this.isUnknown(step) ? step.changes : invertDelta(this.upgrades.get(revision)!)
      ).filter(isOrder);
      const moved = this.order.step(revision, expectedOrder, step.changes.filter(isOrder));
      const reordered = moved.caused.filter(
        ({ expected, found }) => expected !== undefined && found !== undefined,
      );
      if (reordered.length > 0 && masked.length === 0) {
        this.ledger.note({ kind: "column order", revision, differences: reordered });
      }
      const doubt = doubtOf(leg, step);
      if (doubt !== undefined) this.ledger.settle(revision, "downgrade", "not proved", doubt);
      this.undone.push({ step, masked: masked.length > 0 || this.isUnknown(step) });
    }
  }

  /** What a step should do; of a revision whose own changes are not known, what it does. */
  private readonly downgradeOf = (step: RecordedStep): CatalogDelta =>
    (this.isUnknown(step) ? step.changes : invertDelta(this.upgrades.get(step.revision)!)).filter(isHard);

  private readonly upgradeOf = (step: RecordedStep): CatalogDelta =>
    (this.isUnknown(step) ? step.changes : this.upgrades.get(step.revision)!).filter(isHard);

  private isUnknown(step: RecordedStep): boolean {
    return step.doubts.length > 0 || this.untrusted.has(step.revision) || !this.upgrades.has(step.revision);
  }

  /**
   * Without anything left by others the failure is its own. Where the server names what was left, its owner is to
   * blame; else that shows once what was left is gone: the revision passes then, or fails again.
   */
  private blame(failure: StepFailure, standing: readonly Difference[]): void {
    if (standing.length === 0) {
      this.ledger.fail(failure);
      return;
    }
    const culprits = culpritsOf(failure, standing);
    for (const culprit of culprits) this.ledger.stop(culprit, failure);
    if (culprits.length > 0) return;
    const owners = ownersOf(standing);
    for (const owner of owners) this.ledger.blockDowngrade(owner);
    this.suspicions.set(failure.revision, { failure, owners });
  }

  /** A revision that failed with residue around passed without it. */
  private confirmSuspicion(step: RecordedStep): void {
    const suspicion = this.suspicions.get(step.revision);
    if (suspicion === undefined || suspicion.failure.direction !== step.direction) return;
    this.suspicions.delete(step.revision);
    for (const owner of suspicion.owners) this.ledger.stop(owner, suspicion.failure);
  }

  /** The differences when the leg ended or stopped, those of steps that were rolled back with it included. */
  private differencesAtEnd(leg: Leg, expected: (step: RecordedStep) => CatalogDelta): readonly Difference[] {
    const hard = this.hard.copy();
    for (const step of leg.steps) {
      const { caused, masked } = hard.step(step.revision, expected(step), step.changes.filter(isHard));
      const left = caused.filter((difference) => !isOnlyValidated(difference));
      if (leg.direction === "downgrade" && left.length > 0 && masked.length === 0) {
        this.ledger.leave(step.revision, left, left.some(isError));
      }
    }
    return hard.current;
  }

  private async goUpAgain(): Promise<undefined> {
    let targets = [...this.tops];
    const excluded = new Set<string>();
    const passed = new Set<string>();
    for (let target = targets.shift(); target !== undefined; target = targets.shift()) {
      const leg = await this.go("upgrade", target);
      const standing = this.differencesAtEnd(leg, this.upgradeOf);
      for (const step of leg.steps) {
        if (step.outcome !== "committed") continue;
        if (this.followAgain(step) && doubtOf(leg, step) === undefined) passed.add(step.revision);
      }
      if (leg.failure === undefined) continue;
      const failure = failureOf(this.context, leg, true);
      if (failure === undefined) break;
      this.blame({ ...failure, again: true }, standing);
      if (leg.tail.length > 0) break;
      if (await this.removeResidue()) {
        targets = [target, ...targets];
        continue;
      }
      if (excluded.has(failure.revision)) break;
      excluded.add(failure.revision);
      targets = this.targetsWithout(failure.revision);
    }
    for (const { step, masked } of this.undone) {
      if (!masked && passed.has(step.revision)) this.ledger.settle(step.revision, "downgrade", "proved");
    }
  }

  /** True when the revision led to what it led to the first time. */
  private followAgain(step: RecordedStep): boolean {
    this.confirmSuspicion(step);
    const { caused, masked } = this.hard.step(
      step.revision,
      this.upgradeOf(step),
      step.changes.filter(isHard),
    );
    if (masked.length > 0) return false;
    if (caused.length === 0) return true;
    this.noteSecondUpgrade(step.revision, caused);
    return false;
  }

  private noteSecondUpgrade(revision: string, differences: readonly Difference[]): void {
    this.ledger.note({ kind: "second upgrade differs", revision, differences });
    this.ledger.settle(revision, "downgrade", "failed", "the second upgrade leads to another schema");
    this.ledger.blockDowngrade(revision);
  }

  /** The ways up that do not lead over this revision. */
  private targetsWithout(revision: string): string[] {
    const { graph } = this.context;
    const wanted = graph.applied(this.tops.flatMap((top) => (isWord(top) ? graph.heads : [top])));
    const beyond = graph.descendants(revision);
    const left = graph.revisions.filter(({ id }) => wanted.has(id) && !beyond.has(id));
    const parents = new Set(left.flatMap(({ id }) => graph.parentsOf(id)));
    const applied = graph.applied(this.stage.heads);
    return left
      .filter(({ id }) => !parents.has(id) && !applied.has(id))
      .flatMap(({ id }) => (upgradeWords(this.context, id) === undefined ? [] : id));
  }

  private async go(direction: "upgrade" | "downgrade", target: string, atOnce = false): Promise<Leg> {
    const leg = await this.stage.go(direction, target, atOnce);
    this.legs.push(leg);
    return leg;
  }
}

/** Words of the tool for all heads. */
function isWord(top: string): boolean {
  return top === "head" || top === "heads";
}

function lastLinesOf({ result }: Leg): string {
  return result.output.trimEnd().split("\n").slice(-15).join("\n");
}
