import { askDataQueries, type DataAnswer } from "../databases/postgres/ask-data-query";
import { type Address, parseAddress, redact } from "../databases/postgres/connection";
import { placeOf } from "../deploy/versions-at";
import { UserError } from "../errors";
import type { DeployFact, OnProduction } from "../model/deploy-lane";
import type { DataQuery } from "../model/rows";
import type { Settings } from "../settings";

/** The database that verify-on-env names; undefined without that setting. A UserError where the variable has no address. */
export function verifiedDatabase(
  settings: Pick<Settings, "verify-on-env">,
  environment: NodeJS.ProcessEnv,
): Address | undefined {
  const variable = settings["verify-on-env"];
  if (variable === undefined) return undefined;
  const url = environment[variable];
  if (url !== undefined && url !== "") return parseAddress(url, variable);
  throw new UserError({
    what: `The findings that depend on rows are to be verified on ${variable}, and ${variable} is not set.`,
    do: `Put the address of production's database into ${variable}; a role that may only read is enough.`,
  });
}

/** Asks that database what its rows mean to the statements that failed on some rows, and only reads. */
export async function verifyOn(address: Address, facts: readonly DeployFact[]): Promise<DeployFact[]> {
  const where = placeOf(address);
  const settled: DeployFact[] = [];
  for (const fact of facts) {
    const isOpen = fact.kind === "failure" && fact.level !== "landed" && fact.queries.length > 0;
    if (!isOpen) settled.push(fact);
    else settled.push({ ...fact, onProduction: await answered(address, fact.queries, where) });
  }
  return settled;
}

/** A database that cannot be reached settles nothing, and takes nothing from what was proved. */
async function answered(
  address: Address,
  queries: readonly DataQuery[],
  where: string,
): Promise<OnProduction> {
  try {
    return summary(await askDataQueries(address, queries), where);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      answer: "unknown",
      where,
      rows: undefined,
      reason: redact(error.message, address).replace(/\.$/, ""),
    };
  }
}

/** One query that finds rows is enough; safe is what all of them say. */
function summary(answers: readonly DataAnswer[], where: string): OnProduction {
  for (const answer of answers) {
    if (answer.answer === "fails") return { answer: "fails", where, rows: answer.rows, reason: undefined };
  }
  for (const answer of answers) {
    if (answer.answer === "unknown")
      return { answer: "unknown", where, rows: undefined, reason: answer.reason };
  }
  return { answer: "safe", where, rows: undefined, reason: undefined };
}
