import { existsSync, readFileSync } from "node:fs";
import { parseAddress } from "../databases/postgres/connection";
import { UserError } from "../errors";
import type { DeployReport } from "../model/deployment";
import type { EnvironmentState } from "../model/environment";
import type { ReadOptions } from "./read-versions";
import { placeOf, versionsAt } from "./versions-at";

export type EnvironmentReading = Omit<ReadOptions, "where" | "stamp">;

/**
 * What each entry of the setting `environments` holds, one after the other, each in a read-only transaction. What cannot
 * be read is told as such, never thrown.
 */
export async function readEnvironments(
  entries: readonly string[],
  reading: EnvironmentReading,
  environment: NodeJS.ProcessEnv,
): Promise<EnvironmentState[]> {
  const states: EnvironmentState[] = [];
  for (const name of entries) {
    try {
      const url = environment[name];
      if (url !== undefined && url !== "") states.push(await seenAt(name, url, reading));
      else if (existsSync(name)) states.push(recordedIn(name));
      else states.push(notNamed(name));
    } catch (error) {
      states.push(notRead(name, error));
    }
  }
  return states;
}

async function seenAt(name: string, url: string, reading: EnvironmentReading): Promise<EnvironmentState> {
  const address = parseAddress(url, name);
  const { heads, rows } = await versionsAt(address, { ...reading, stamp: undefined }, "migration-gate check");
  return { kind: "seen", name, where: `${name} (${placeOf(address)})`, time: now(), heads, rows };
}

/** A record says where its apply or rollback left the database. */
function recordedIn(name: string): EnvironmentState {
  const record = JSON.parse(readFileSync(name, "utf8")) as Partial<DeployReport> & { time?: unknown };
  const { state, heads, time } = record;
  const after = heads?.after;
  if (state === "at target" && Array.isArray(after) && typeof time === "string")
    return { kind: "seen", name, where: name, time, heads: after, rows: undefined };
  return {
    kind: "not read",
    name,
    reason: state === undefined ? "it is JSON, and no record." : `its state is "${state}".`,
    do: "give the record of an apply or rollback there that ended well (the newest file in its record-directory).",
  };
}

function notNamed(name: string): EnvironmentState {
  const isFile = /[/.]/.test(name);
  return {
    kind: "not read",
    name,
    reason: isFile ? "there is no such file." : "no such variable is set.",
    do: isFile
      ? "give the path of a record from where the check is started."
      : "put its database's address into that variable; a role that may only read is enough. (GitHub gives no secrets to pull requests of forks.)",
  };
}

function notRead(name: string, error: unknown): EnvironmentState {
  const parts = error instanceof UserError ? error.parts : undefined;
  const reason = parts === undefined ? (error instanceof Error ? error.message : String(error)) : said(parts);
  return {
    kind: "not read",
    name,
    reason,
    do: parts?.do ?? "see whether the database answers, and run the check again.",
  };
}

function said({ what, seen }: UserError["parts"]): string {
  return seen === undefined ? what : `${what} ${seen}`;
}

function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
