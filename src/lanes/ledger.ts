import type { Difference, ProofFact, StepFailure } from "../model/evidence";
import type { Direction } from "../model/revision";
import type { StepStatus } from "../model/verdict";
import type { Graph } from "../revisions/graph";

/** What is known of one revision in one direction. */
export interface Mark {
  readonly status: StepStatus;
  readonly reason: string | undefined;
}

/** What the lane has found out, revision by revision. The first proof or failure of a step stands. */
export class Ledger {
  private readonly marks: Record<Direction, Map<string, Mark>> = { upgrade: new Map(), downgrade: new Map() };
  private readonly residues = new Map<
    string,
    { differences: readonly Difference[]; stopped: StepFailure[] }
  >();
  /** What a revision stopped before its residue could be told from that of others. */
  private readonly early = new Map<string, StepFailure[]>();
  private readonly others: ProofFact[] = [];
  /** Revisions whose downgrade cannot be passed, or leaves what stops others: a floor for those above them. */
  private readonly barriers = new Set<string>();
  /** What was seen once and not when it was tried again. */
  readonly unsteady: string[] = [];

  constructor(private readonly graph: Graph) {}

  mark(revision: string, direction: Direction): Mark | undefined {
    return this.marks[direction].get(revision);
  }

  isSettled(revision: string): boolean {
    return this.marks.upgrade.has(revision) && this.marks.downgrade.has(revision);
  }

  settle(revision: string, direction: Direction, status: StepStatus, reason?: string): void {
    const marks = this.marks[direction];
    if (marks.has(revision)) return;
    marks.set(revision, { status, reason });
    if (status === "not proved" && reason !== undefined) {
      this.others.push({ kind: "not proved", revision, direction, reason });
    }
  }

  /** Both directions wait for another revision, whose own finding says what to do. */
  wait(revision: string, reason: string): void {
    for (const marks of [this.marks.upgrade, this.marks.downgrade]) {
      if (!marks.has(revision)) marks.set(revision, { status: "not proved", reason });
    }
  }

  fail(failure: StepFailure): void {
    const { revision, direction, again } = failure;
    this.barriers.add(revision);
    const proved = again ? "downgrade" : direction;
    const { status } = this.marks[proved].get(revision) ?? {};
    if (status === "failed" || status === "skipped") return;
    this.settle(revision, proved, "failed", again ? "the second upgrade fails" : `the ${direction} fails`);
    this.others.push({ kind: "failure", revision, failure });
    if (direction === "upgrade" && !failure.again) {
      this.settle(revision, "downgrade", "skipped", "the upgrade fails");
    }
  }

  /** The first account of a revision's residue is the clean one; `stopped` collects what it stopped. */
  leave(revision: string, differences: readonly Difference[], isError: boolean): void {
    if (this.residues.has(revision)) return;
    this.residues.set(revision, { differences, stopped: this.early.get(revision) ?? [] });
    this.early.delete(revision);
    if (isError) this.settle(revision, "downgrade", "failed", "it does not restore the schema");
  }

  /** What this revision left stopped another one, or itself on the way up again. */
  stop(revision: string, failure: StepFailure): void {
    this.barriers.add(revision);
    const stopped = this.residues.get(revision)?.stopped ?? this.early.get(revision) ?? [];
    if (!this.residues.has(revision)) this.early.set(revision, stopped);
    else this.settle(revision, "downgrade", "failed", "it does not restore the schema");
    const known = stopped.some(
      (other) => other.revision === failure.revision && other.direction === failure.direction,
    );
    if (!known) stopped.push(failure);
  }

  /** A fact of one kind is noted once a revision and direction: other ways see it again. */
  note(fact: ProofFact): void {
    const direction = (other: ProofFact) => ("direction" in other ? other.direction : undefined);
    const isKnown = this.others.some(
      (other) =>
        other.kind === fact.kind && other.revision === fact.revision && direction(other) === direction(fact),
    );
    if (!isKnown) this.others.push(fact);
  }

  blockDowngrade(revision: string): void {
    this.barriers.add(revision);
  }

  /** The last barrier among these revisions, in the order of the graph. */
  lastBarrier(revisions: ReadonlySet<string>): string | undefined {
    return this.graph.revisions.findLast(({ id }) => revisions.has(id) && this.barriers.has(id))?.id;
  }

  /** Facts in the order of the graph. */
  facts(): ProofFact[] {
    const place = new Map(this.graph.revisions.map((revision, index) => [revision.id, index]));
    const residues = [...this.residues].map(
      ([revision, { differences, stopped }]): ProofFact => ({
        kind: "residue",
        revision,
        differences,
        stopped,
      }),
    );
    const unexplained = [...this.early.values()]
      .flat()
      .map((failure): ProofFact => ({ kind: "failure", revision: failure.revision, failure }));
    return [...this.others, ...residues, ...unexplained].sort(
      (left, right) => (place.get(left.revision) ?? 0) - (place.get(right.revision) ?? 0),
    );
  }
}
