import type { RevisionBody } from "../model/operation";
import type { Revision } from "../model/revision";
import { Born, maybeSame } from "./born";
import type { RuleContext } from "./rule";

/**
 * What the rules read of a revision. What it does to tables, columns and indexes that it makes itself is left out here,
 * once for all rules: nobody reads or writes them yet, and they are empty.
 */
export function contextOf(revision: Revision, body: RevisionBody, needsDowngrade: boolean): RuleContext {
  const upgrade = body.operations.filter(({ origin }) => origin.direction === "upgrade");
  const born = new Born(maybeSame);
  const operations = upgrade.filter((operation) => {
    const isNew = born.has(operation);
    born.learn(operation);
    return !isNew;
  });
  return {
    revision,
    needsDowngrade,
    operations,
    upgrade,
    downgrade: body.operations.filter(({ origin }) => origin.direction === "downgrade"),
  };
}
