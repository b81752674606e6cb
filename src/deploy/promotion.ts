import { readFileSync } from "node:fs";
import { parseAddress } from "../databases/postgres/connection";
import { UserError } from "../errors";
import type { DeployReport } from "../model/deployment";
import type { Revision } from "../model/revision";
import type { Settings } from "../settings";
import type { Target } from "./target";
import { placeOf } from "./versions-at";

/** The environment before this one, by what was seen of it. */
interface Earlier {
  readonly heads: readonly string[];
  readonly where: string;
}

/**
 * Development, staging, production: a UserError where a revision that is about to be applied was not applied to the
 * environment before this one. Without a setting that names one, nothing is asked.
 */
export async function requireEarlier(
  target: Target,
  pending: readonly Revision[],
  settings: Pick<Settings, "earlier-env" | "earlier-record">,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  for (const { heads, where } of await earlierOnes(target, settings, environment)) {
    const there = target.graph.applied(heads);
    const skipped = pending.filter(({ id }) => !there.has(id));
    if (skipped.length === 0) continue;
    throw new UserError({
      what: `${skipped.length} of ${pending.length} pending ${pending.length === 1 ? "revision was" : "revisions were"} not applied to the environment before this one.`,
      where,
      seen: `It is at ${heads.join(", ") || "nothing"}. Missing there: ${skipped.map(({ id }) => id).join(", ")}.`,
      why: "What was not tried there meets rows and load for the first time here.",
      do: "Apply them there first, or go only as far as it went: --to <revision>",
    });
  }
}

async function earlierOnes(
  target: Target,
  settings: Pick<Settings, "earlier-env" | "earlier-record">,
  environment: NodeJS.ProcessEnv,
): Promise<Earlier[]> {
  const variable = settings["earlier-env"];
  const record = settings["earlier-record"];
  const found: Earlier[] = [];
  if (variable !== undefined) {
    const url = environment[variable];
    if (url === undefined || url === "") {
      throw new UserError({
        what: `The environment before this one is not named: ${variable} is not set.`,
        do: `Put its database's address into ${variable}; a role that may only read is enough.`,
      });
    }
    const address = parseAddress(url, variable);
    const { heads } = await target.seenAt(address);
    found.push({ heads, where: `${variable}: ${placeOf(address)}` });
  }
  if (record !== undefined) found.push(recordedAt(record));
  return found;
}

/** A UserError where the file is no record of an apply or rollback that ended well. */
function recordedAt(file: string): Earlier {
  let seen: string;
  try {
    const { state, heads } = JSON.parse(readFileSync(file, "utf8")) as Partial<DeployReport>;
    if (state === "at target" && Array.isArray(heads?.after)) return { heads: heads.after, where: file };
    seen = state === undefined ? "It is JSON, and no record." : `Its state is "${state}".`;
  } catch (error) {
    seen = error instanceof Error ? error.message : String(error);
  }
  throw new UserError({
    what: "The record of the environment before this one does not say that it reached its target.",
    where: file,
    seen,
    do: "Give the record of an apply there that ended well (the output record, or the newest file in its record-directory).",
  });
}
