import { differencesOf, invertDelta, mergeDeltas } from "../evidence/deltas";
import type { CatalogDelta } from "../model/catalog";
import type { DeployFact } from "../model/deploy-lane";
import type { Difference } from "../model/evidence";
import type { DeployTry } from "./deploy-try";
import { doubtOf } from "./doubt";
import type { Leg } from "./stage";
import { isError, isHard } from "./weights";

/** What each downgrade left of its own upgrade, and what the second way up made otherwise, on this database. */
export function residueFacts({ up, down, again }: DeployTry): DeployFact[] {
  const ups = changesOf(up);
  // What may stay is not made again: it is there.
  const stays = new Set<string>();
  const left = [...changesOf(down)].flatMap(([revision, changes]): DeployFact[] => {
    const made = ups.get(revision);
    if (made === undefined) return [];
    const all = compared(revision, invertDelta(made), changes);
    const differences = all.filter(isError);
    for (const { key } of all) stays.add(key);
    return differences.length === 0 ? [] : [{ kind: "residue", revision, differences }];
  });
  if (left.length > 0) return left;
  return [...changesOf(again)].flatMap(([revision, changes]): DeployFact[] => {
    const made = ups.get(revision);
    if (made === undefined) return [];
    const differences = compared(revision, made, changes).filter(({ key }) => !stays.has(key));
    return differences.length === 0 ? [] : [{ kind: "second upgrade differs", revision, differences }];
  });
}

/** What each revision changed, where that was seen and stayed. */
function changesOf(leg: Leg | undefined): Map<string, CatalogDelta> {
  const changes = new Map<string, CatalogDelta>();
  if (leg === undefined || leg.failure !== undefined) return changes;
  for (const step of leg.steps) {
    if (step.outcome !== "committed" || doubtOf(leg, step) !== undefined) continue;
    changes.set(step.revision, mergeDeltas([step.changes]));
  }
  return changes;
}

function compared(owner: string, expected: CatalogDelta, found: CatalogDelta): Difference[] {
  return differencesOf(expected.filter(isHard), found.filter(isHard)).map((difference) => ({
    ...difference,
    owner,
  }));
}
