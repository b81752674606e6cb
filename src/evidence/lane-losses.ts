import type { RowLoss, RowSnapshot } from "../model/rows";
import { rowCount, rowLosses } from "./row-losses";

/** The rows of a database at the stations of the deploy lane. */
export interface LaneSnapshots {
  /** At the base's head, filled. */
  readonly base: RowSnapshot;
  /** After the upgrade. */
  readonly upgraded: RowSnapshot;
  /** The same schema with the rows that production will have by the time of a downgrade. */
  readonly toppedUp: RowSnapshot;
  /** Back at the base's head. */
  readonly downgraded: RowSnapshot;
}

/** What the upgrade alone lost: a downgrade may bring it back, where the values went elsewhere. */
export function lostByUpgrade({
  base,
  upgraded,
}: Pick<LaneSnapshots, "base" | "upgraded">): readonly RowLoss[] {
  return rowLosses(base, upgraded);
}

/** What the base had and the downgraded database does not. What the top-up itself changed (a trigger) is left out. */
export function lostByRoundTrip({ base, upgraded, toppedUp, downgraded }: LaneSnapshots): readonly RowLoss[] {
  const placeOf = ({ table, column }: RowLoss): string => JSON.stringify([table, column]);
  const byTopUp = new Set(
    rowLosses(upgraded, toppedUp)
      .filter(({ kind, column }) => kind.startsWith("values") && column !== undefined)
      .map(placeOf),
  );
  return rowLosses(base, downgraded).filter(
    (loss) => !loss.kind.startsWith("values") || !byTopUp.has(placeOf(loss)),
  );
}

/**
 * How many rows of the top-up the downgrade deleted, by table of the base. Rows that the upgrade put in are the
 * downgrade's to delete; a table whose rows `lostByRoundTrip` misses already is not told again.
 */
export function lostOfTopUp(snapshots: LaneSnapshots): readonly RowLoss[] {
  const { base, upgraded, toppedUp, downgraded } = snapshots;
  const told = new Set(
    lostByRoundTrip(snapshots).flatMap(({ table, kind }) => (kind.endsWith("gone") ? table : [])),
  );
  return [...base.keys()].flatMap((table): RowLoss[] => {
    const [was, put, is, left] = [base, upgraded, toppedUp, downgraded].map((rows) => {
      const found = rows.get(table);
      return found === undefined ? undefined : rowCount(found);
    });
    if (was === undefined || put === undefined || is === undefined || left === undefined) return [];
    const before = is - Math.max(0, put - was);
    if (left >= before || told.has(table)) return [];
    const counts = { before, after: left, lost: before - left };
    return [{ table, kind: "rows gone", column: undefined, ...counts, examples: [], onlyNulls: false }];
  });
}
