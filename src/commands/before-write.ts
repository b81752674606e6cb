import { prepareBackup } from "../backup/prepare";
import type { BackupRequest, PreparedBackup } from "../backup/request";
import { invalidIndexes } from "../databases/postgres/leftovers";
import { catalogOf } from "../deploy/catalog-of";
import {
  allDrift,
  driftFrom,
  driftProblem,
  requireProofOf,
  unknownToProof,
  unprovedProblem,
} from "../deploy/compare-with-proof";
import { databaseAddress } from "../deploy/database-address";
import { type GateLock, takeGateLock } from "../deploy/gate-lock";
import { halfWay } from "../deploy/half-way";
import type { Listener } from "../deploy/job";
import { preflight } from "../deploy/preflight";
import { type ProofFile, readProof } from "../deploy/proof";
import { extensionsIn } from "../deploy/repeatable";
import { leftNotes } from "../deploy/running-note";
import type { SeenDatabase } from "../deploy/status";
import type { Target } from "../deploy/target";
import { endToolSessions, orphans, toolSessionName } from "../deploy/tool-sessions";
import { UserError } from "../errors";
import type { Catalog } from "../model/catalog";
import type { DeployReport, Problem } from "../model/deployment";
import type { Revision } from "../model/revision";
import { majorOf, type RevisionStatus } from "../model/status";
import type { Settings } from "../settings";
import { revisionSource } from "../tools/revision-source";
import { seldom } from "./listener";

/** What apply and rollback are given. */
export interface WriteContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly listener: Listener;
  readonly uploadArtifact?: BackupRequest["uploadArtifact"];
}

/** A refusal leaves a record too, but not one that the record's own folder made. */
export async function recorded<Result>(
  { settings, environment, listener }: WriteContext,
  command: DeployReport["command"],
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (thrown) {
    const error = refusalOf(thrown);
    if (error instanceof UserError && !settings["dry-run"]) {
      try {
        listener.record(refused(command, databaseName(settings, environment), error.parts));
      } catch {
        // The refusal says more.
      }
    }
    throw error;
  }
}

/** Empty where the refusal is that none is named. */
function databaseName(settings: Settings, environment: NodeJS.ProcessEnv): string {
  try {
    return databaseAddress(settings, environment).database;
  } catch {
    return "";
  }
}

/** The server's own errors before the tool's start (a limit of the role, a lost connection) are no bug of ours. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const isServers = "severity" in error || /^Connection terminated|^no answer within/.test(error.message);
  if (!isServers) return error;
  return new UserError(
    {
      what: "The database did not answer what had to be known before the start. Nothing was changed.",
      seen: error.message,
      do: "Mend what the server says (a limit of this role, its rights, the network), and run the same job again.",
    },
    { cause: error },
  );
}

function refused(command: DeployReport["command"], name: string, problem: Problem): DeployReport {
  return {
    version: 1,
    command,
    outcome: "failed",
    state: "unchanged",
    database: { name, server: "" },
    heads: { before: [], goal: [], after: undefined },
    revisions: [],
    backup: undefined,
    tries: 0,
    waits: [],
    leftovers: [],
    problems: [problem],
    warnings: [],
    next: [],
    milliseconds: 0,
    record: undefined,
  };
}

/** The version table's content. A UserError where the source does not know all of it, or where it is not the only one. */
export async function seenByKnownSource(target: Target): Promise<SeenDatabase> {
  const { unprovable, config } = target.project;
  if (unprovable !== undefined) {
    throw new UserError({
      what: unprovable.what,
      where: config,
      why: "Nothing was changed: the tool would migrate each wherever the project takes its address from, without a backup.",
      do: unprovable.do,
    });
  }
  const seen = await target.seen();
  const { unknown, revisions } = await target.status(seen);
  const broken = revisions.find(
    ({ status, outOfOrder }) => status === "dirty" || status === "checksum mismatch" || outOfOrder === true,
  );
  if (broken !== undefined) throw brokenRow(target, broken);
  if (unknown.length === 0) return seen;
  throw new UserError({
    what: `The database has ${unknown.length === 1 ? "a revision" : "revisions"} that this source does not have: ${unknown.map(({ id }) => id).join(", ")}.`,
    where: target.where,
    seen: unknown
      .map(({ id, lastCommit }) =>
        lastCommit === undefined
          ? `${id}: no commit that git knows here has its file.`
          : `${id}: last in ${lastCommit.hash.slice(0, 12)} (${lastCommit.date.slice(0, 10)}) ${lastCommit.subject}`,
      )
      .join("\n"),
    why: "This release is older than the database, or on another branch; what is applied cannot be told.",
    do: "Use a release that has them; migration-gate status prints the lines that mend it otherwise.",
  });
}

/** What a tool with a row for each revision stops at, or passes over. */
function brokenRow(
  { where }: Target,
  { id, status, file, lineEndsOnly, outOfOrder }: RevisionStatus,
): UserError {
  if (status === "dirty") {
    return new UserError({
      what: `Revision ${id} stopped half way in this database.`,
      where,
      seen: file,
      why: "What it did before it stopped is there, and the tool does not go on.",
      do: "Finish or undo by hand what it did, and delete or complete its row in the version table; then run the same job again.",
    });
  }
  if (outOfOrder === true) {
    return new UserError({
      what: `Revision ${id} is pending, and later ones are applied.`,
      where,
      seen: file,
      why: "It was proved before them, and would run after them.",
      do: "Give it a version above every one that landed.",
    });
  }
  return new UserError({
    what: `The file of revision ${id} is not the one that was applied${lineEndsOnly === true ? ": its line ends differ (CRLF)" : ""}.`,
    where,
    seen: file,
    why: "The tool compares the bytes of what it applied, and refuses to go on.",
    do:
      lineEndsOnly === true
        ? "Let git keep the line ends of these files: *.sql -text in .gitattributes."
        : "Take the edit back; what it was to change belongs into a new revision.",
  });
}

/** A UserError with every reason not to write now; the warnings where there is none. */
export async function requireReady(
  target: Target,
  seen: SeenDatabase,
  lock: GateLock,
  {
    settings,
    writes,
    revisions,
  }: {
    readonly settings: Settings;
    readonly writes: "apply" | "rollback";
    readonly revisions: readonly Revision[];
  },
): Promise<Problem[]> {
  const { refusals, warnings } = await preflight(await target.client(), {
    address: target.address,
    settings,
    versionTable: seen.versionTable,
    extensions:
      writes === "apply"
        ? revisions.flatMap((each) => extensionsIn(revisionSource(target.project, each).text))
        : [],
    where: target.where,
    writes,
    ownPids: [lock.pid],
  });
  const [first, ...others] = refusals;
  if (first === undefined) return warnings.map(({ parts }) => parts);
  const also = others.map(({ parts }) => `also: ${parts.what} ${parts.do}`);
  throw new UserError({
    ...first.parts,
    seen: [...(first.parts.seen === undefined ? [] : [first.parts.seen]), ...also].join("\n"),
  });
}

/** The schema as it is, and the proof that it is compared with, where there is one. A UserError for what revisions would meet. */
export async function comparedWithProof(
  target: Target,
  seen: SeenDatabase,
  file: string | undefined,
  revisions: readonly Revision[],
): Promise<{ readonly catalog: Catalog; readonly proof: ProofFile | undefined }> {
  const proof = file === undefined ? undefined : readProof(file);
  if (file !== undefined && proof !== undefined)
    requireProofOf(file, proof, revisions, (revision) => revisionSource(target.project, revision).sha256);
  const catalog = await catalogOf(target, seen.versionTable);
  if (proof === undefined) return { catalog, proof };
  const applied = target.graph.applied(seen.heads);
  const strange = unknownToProof(file ?? "", proof, applied);
  if (strange !== undefined) throw new UserError(strange);
  const compared = { proof, found: catalog, applied, major: majorOf(seen.database) };
  const { met } = driftFrom(compared, new Set(revisions.map(({ id }) => id)));
  const problem = driftProblem(met, target.where);
  if (problem === undefined) return { catalog, proof };
  const [next] = revisions;
  const half = next === undefined || applied.has(next.id) ? undefined : await halfWay(target, seen, next);
  if (half === undefined) throw new UserError(problem);
  const { what, do: advice } = half.problem;
  throw new UserError({ ...problem, seen: `${problem.seen ?? ""}\n${what}`, do: advice });
}

/** What is not as it should be although nothing is pending: invalid indexes, and a schema that was not proved. */
export async function leftBefore(
  target: Target,
  seen: SeenDatabase,
  file: string | undefined,
): Promise<Problem[]> {
  const indexes = await invalidIndexes(await target.client());
  const problems: Problem[] = [];
  if (indexes.length > 0) {
    problems.push({
      what: `The database has ${indexes.length === 1 ? "an invalid index" : "invalid indexes"}: ${indexes.map(({ name }) => name).join(", ")}.`,
      why: "It was left by a build that did not end: no query uses it, and every write pays for it.",
      do: indexes.map(({ name }) => `DROP INDEX CONCURRENTLY ${name};`).join("\n"),
    });
  }
  if (file === undefined) return problems;
  const proof = readProof(file);
  const applied = target.graph.applied(seen.heads);
  const strange = unknownToProof(file, proof, applied);
  if (strange !== undefined) return [...problems, strange];
  const found = await catalogOf(target, seen.versionTable);
  const drift = allDrift({ proof, found, applied, major: majorOf(seen.database) });
  return drift.length === 0 ? problems : [...problems, unprovedProblem(drift)];
}

/**
 * The lock that keeps two gates apart on one database. Sessions of a tool whose gate is gone are ended: with the lock
 * held it is certain that nobody watches over them.
 */
export async function lockDatabase(
  target: Target,
  settings: Settings,
  command: "apply" | "rollback",
  say: Listener["say"],
): Promise<GateLock> {
  const lock = await takeGateLock(target.address, {
    waitMs: settings["apply-wait"] * 1000,
    onWait: say,
    applicationName: `migration-gate ${command}`,
  });
  try {
    await endOrphans(target, settings, say);
    return lock;
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

async function endOrphans(target: Target, settings: Settings, say: Listener["say"]): Promise<void> {
  const client = await target.client();
  const notes = leftNotes(settings["record-directory"], target.where);
  const sessions = { name: toolSessionName, others: notes.sessions };
  const left = await orphans(client, sessions);
  for (const { pid, name } of left)
    say(
      `A gate that is gone left a session at work (pid ${pid}${name === "" ? "" : `, ${name}`}); it is ended.`,
    );
  if (left.length === 0 || (await endToolSessions(client, sessions, 0))) {
    notes.remove();
    return;
  }
  throw new UserError({
    what: "A migration that an ended gate had started is still at work, and the server could not be brought to end it.",
    where: target.where,
    seen: left.map(({ pid, name }) => `pid ${pid}, ${name}`).join("\n"),
    do: `Wait for its end, or end it: ${left.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`).join(" ")}`,
  });
}

/** A backup for which everything is there that it needs; a UserError before anything is touched. */
export async function backupFor(
  { settings, environment, listener, uploadArtifact }: WriteContext,
  target: Target,
  seen: SeenDatabase,
  revisions: readonly Revision[],
): Promise<PreparedBackup> {
  return prepareBackup({
    settings,
    environment,
    address: target.address,
    client: await target.client(),
    heads: seen.heads,
    pending: revisions.map(({ id }) => id),
    progress: seldom(listener.say),
    notice: listener.say,
    ...(uploadArtifact === undefined ? {} : { uploadArtifact }),
  });
}
