/** What the project promises of its speed. A figure is a ratio or MB; smaller is better unless it says "at least". */
export interface Target {
  readonly name: string;
  readonly bound: "at most" | "at least";
  readonly value: number;
  readonly unit: string;
  readonly measured: number;
}

/** A target that is missed by more than this part fails the run: the machine is shared, and ratios vary. */
const tolerance = 0.1;

export function isMet({ bound, value, measured }: Target): boolean {
  return bound === "at most" ? measured <= value : measured >= value;
}

export function isFailure({ bound, value, measured }: Target): boolean {
  const missed =
    bound === "at most" ? measured > value * (1 + tolerance) : measured < value * (1 - tolerance);
  return missed || Number.isNaN(measured);
}

export function summaryLine(target: Target): string {
  const { name, bound, value, unit, measured } = target;
  const word = isMet(target) ? "met" : isFailure(target) ? "missed" : "missed by less than 10 %";
  return `target ${name}: ${bound} ${value}${unit}  measured ${measured.toFixed(measured < 10 ? 2 : 0)}${unit}  ${word}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** One line of a table: min, median and max of these milliseconds. */
export function spread(values: readonly number[]): string {
  const show = (value: number) => value.toFixed(0).padStart(7);
  return `${show(Math.min(...values))} ${show(median(values))} ${show(Math.max(...values))}`;
}
