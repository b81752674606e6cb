import { createHash } from "node:crypto";
import { fingerprintSync, parseSync } from "libpg-query";
import type { RecordedStep } from "../evidence/steps";
import type { FreshLaneResult } from "../lanes/fresh-lane";
import type { CatalogDelta } from "../model/catalog";
import { identityOf, kindOf } from "../model/catalog";
import type { DeployPlan, PlannedRevision, PlannedStatement, WayBack } from "../model/deployment";
import type { Direction, Revision } from "../model/revision";
import type { ShadowReport, Step, StepStatement } from "../model/verdict";
import { renamedKeys, typeOf } from "./renamed";
import { proposeReverse } from "./reverse-proposal";
import type { SeenDatabase } from "./status";

/** What a proof of the pending revisions has to offer. */
export interface Proved {
  readonly result: Pick<FreshLaneResult, "legs">;
  readonly steps: readonly Step[];
  readonly shadow: ShadowReport;
  /** True for the tool's own reading and writing of its version table. */
  isBookkeeping(sql: string): boolean;
}

export interface Planned {
  readonly command: DeployPlan["command"];
  readonly seen: SeenDatabase;
  readonly goal: readonly string[];
  readonly revisions: readonly Revision[];
  sha256(revision: Revision): string;
  /** Of what the revisions may read beside their own files. */
  readonly environment: string;
}

/** What will run, as it was recorded on the shadow. `libpg-query`'s loadModule() must have resolved before. */
export function planOf(
  { command, seen, goal, revisions, sha256, environment }: Planned,
  proved: Proved,
): DeployPlan {
  const direction = command === "apply" ? "upgrade" : "downgrade";
  return {
    version: 1,
    kind: "plan",
    command,
    database: seen.database,
    heads: { before: [...seen.heads].sort(), goal },
    environment,
    revisions: revisions.map((revision) => {
      const step = stepOf(proved, revision.id, direction);
      return {
        id: revision.id,
        message: revision.message,
        file: revision.location.file,
        sha256: sha256(revision),
        notProved: step?.status === "proved" ? undefined : (step?.reason ?? `its ${direction} was not seen`),
        statements: statementsOf(proved, revision.id, direction),
        wayBack: wayBackOf(proved, revision),
      };
    }),
    shadow: { version: proved.shadow.version, major: proved.shadow.major },
  };
}

/** How one revision is taken back, and what that loses. */
export function wayBackOf(proved: Proved, { id, downgrade }: Revision): WayBack {
  const up = recordedOf(proved, id, "upgrade");
  const none = { loses: [], ...(up === undefined ? {} : { proposal: proposeReverse(up.changes) }) };
  if (downgrade?.irreversible !== undefined)
    return { kind: "irreversible", reason: downgrade.irreversible || "no reason is given", ...none };
  const step = stepOf(proved, id, "downgrade");
  if (step?.status !== "proved")
    return { kind: "restore only", reason: step?.reason ?? "its downgrade was not seen", ...none };
  const down = recordedOf(proved, id, "downgrade");
  const written = (down?.statements ?? []).filter(({ sql }) => !proved.isBookkeeping(sql));
  const changes = down?.changes ?? [];
  const renamed = renamedKeys(
    changes,
    written.map(({ sql }) => sql),
  );
  const removed = holdersRemoved(changes.filter(({ key }) => !renamed.has(key)));
  const loses = [
    ...removed,
    ...typesChanged(changes),
    ...written.filter(({ sql }) => losesRows(sql, removed)).map(({ sql }) => `rows: ${oneLine(sql)}`),
  ];
  return { kind: loses.length === 0 ? "proved downgrade" : "loses data", reason: undefined, loses };
}

/** What differs between the plan that was reviewed and the one of now; empty where nothing does. */
export function planDifferences(reviewed: DeployPlan, now: DeployPlan): string[] {
  const differences: string[] = [];
  const compare = (what: string, one: readonly string[], other: readonly string[]) => {
    if (one.join("\n") === other.join("\n")) return;
    differences.push(`${what}: reviewed ${one.join(", ") || "none"}; now ${other.join(", ") || "none"}`);
  };
  if (reviewed.database.name !== now.database.name)
    differences.push(`the database: reviewed ${reviewed.database.name}; now ${now.database.name}`);
  compare("the database's revisions", reviewed.heads.before, now.heads.before);
  compare("the goal", reviewed.heads.goal, now.heads.goal);
  const ids = (plan: DeployPlan) => plan.revisions.map(({ id }) => id);
  compare("pending revisions", ids(reviewed), ids(now));
  const elsewhere = ({ others = [] }: DeployPlan) =>
    others.map(({ bind, pending }) => `${bind} ${pending.join(" ")}`);
  compare("pending in other databases", elsewhere(reviewed), elsewhere(now));
  if (reviewed.environment !== now.environment)
    differences.push("a file that the revisions may read (env.py, or one beside them) was changed");
  for (const revision of now.revisions) {
    const before = reviewed.revisions.find(({ id }) => id === revision.id);
    if (before === undefined) continue;
    if (before.sha256 !== revision.sha256) differences.push(`${revision.id}: ${revision.file} was edited`);
    const [one, other] = [before, revision].map(shapeOf);
    if (one !== other) differences.push(`${revision.id}: its statements are not those that were reviewed`);
  }
  return differences;
}

function shapeOf({ statements }: PlannedRevision): string {
  return statements.map(({ fingerprint }) => fingerprint).join("\n");
}

function stepOf({ steps }: Proved, id: string, direction: Direction): Step | undefined {
  return steps.find((step) => step.revision === id && step.direction === direction);
}

/** A revision's step as it was recorded on the shadow, the first time. */
export function recordedOf({ result }: Proved, id: string, direction: Direction): RecordedStep | undefined {
  return result.legs
    .flatMap(({ steps }) => steps)
    .find((step) => step.revision === id && step.direction === direction);
}

function statementsOf(proved: Proved, id: string, direction: Direction): PlannedStatement[] {
  const replayed = stepOf(proved, id, direction)?.statements ?? [];
  const isOwn = ({ sql }: { readonly sql: string }) => !proved.isBookkeeping(sql);
  if (replayed.length > 0) return replayed.filter(isOwn).map(plannedStatement);
  return (recordedOf(proved, id, direction)?.statements ?? [])
    .filter(isOwn)
    .map(({ sql }) => plannedStatement({ sql, locks: undefined, rewrites: undefined }));
}

function plannedStatement({
  sql,
  locks,
  rewrites,
}: Pick<StepStatement, "sql" | "locks" | "rewrites">): PlannedStatement {
  return {
    sql,
    fingerprint: fingerprintOf(sql),
    locks: locks?.map(({ mode, relation }) => `${mode} on ${relation}`),
    rewrites: rewrites ?? [],
  };
}

function fingerprintOf(sql: string): string {
  try {
    return fingerprintSync(sql);
  } catch {
    return createHash("sha256").update(sql).digest("hex");
  }
}

/** A part of what a downgrade loses, as a person accepts it: a column by its name alone. */
export function nameOfLoss(loss: string): string {
  return loss.startsWith("column ") ? loss.replace(/: .* becomes .*$/, "") : loss;
}

/** Tables and columns that are gone afterwards; a column that goes with its table is not named. */
function holdersRemoved(changes: CatalogDelta): string[] {
  const gone = changes
    .filter(({ before, after }) => before !== undefined && after === undefined)
    .map(({ key }) => key);
  const tables = gone.filter((key) => ["table", "partitioned table"].includes(kindOf(key)));
  const inside = (key: string) => tables.some((table) => identityOf(key).startsWith(`${identityOf(table)}.`));
  const columns = gone.filter((key) => kindOf(key) === "column" && !inside(key));
  return [...tables, ...columns].sort();
}

/** A value that the older type does not hold is cut, or stops the downgrade. */
function typesChanged(changes: CatalogDelta): string[] {
  return changes
    .filter(
      ({ key, before, after }) => kindOf(key) === "column" && before !== undefined && after !== undefined,
    )
    .filter(({ before, after }) => typeOf(before) !== typeOf(after))
    .map(({ key, before, after }) => `${key}: ${String(typeOf(before))} becomes ${String(typeOf(after))}`);
}

/** One text may hold several statements; a block's body is text to the parser. */
function losesRows(sql: string, removed: readonly string[]): boolean {
  let nodes: [name: string, value: unknown][];
  try {
    nodes = [...nodesOf(parseSync(sql))];
  } catch {
    return /\b(?:delete|truncate|update|merge|drop)\b/i.test(sql);
  }
  const isBlock = nodes.some(([name]) => name === "DoStmt" || name === "CallStmt");
  if (isBlock && /\b(?:delete|truncate|update|merge|drop)\b/i.test(sql)) return true;
  const overwrites = ([name, value]: [string, unknown]) =>
    overwriting.has(name) || (name === "action" && value === "ONCONFLICT_UPDATE");
  if (nodes.some(overwrites)) return true;
  return droppedBy(nodes).some((dropped) => !removed.some((key) => isNamed(key, dropped)));
}

const overwriting = new Set(["DeleteStmt", "UpdateStmt", "TruncateStmt", "MergeStmt"]);

/** Tables and columns by their bare names: what is there again afterwards has lost its rows all the same. */
function droppedBy(nodes: readonly (readonly [string, unknown])[]): string[] {
  return nodes.flatMap(([name, value]) => {
    if (name === "DropStmt" && (value as { removeType?: unknown }).removeType === "OBJECT_TABLE") {
      const { objects = [] } = value as { objects?: unknown[] };
      return objects.flatMap((object) => lastName(object) ?? []);
    }
    const { subtype, name: column } = value as { subtype?: unknown; name?: unknown };
    return name === "AlterTableCmd" && subtype === "AT_DropColumn" && typeof column === "string"
      ? [column]
      : [];
  });
}

function lastName(object: unknown): string | undefined {
  const names = [...nodesOf(object)].flatMap(([name, value]) =>
    name === "sval" && typeof value === "string" ? [value] : [],
  );
  return names.at(-1);
}

function isNamed(key: string, name: string): boolean {
  const identity = identityOf(key);
  return [name, `"${name.replaceAll('"', '""')}"`].some((each) => identity.endsWith(`.${each}`));
}

/** Every field of a parse tree that has a value, however deep. */
function* nodesOf(value: unknown): Generator<[name: string, value: unknown]> {
  if (value === null || typeof value !== "object") return;
  for (const [name, field] of Object.entries(value)) {
    if (field === null || field === undefined) continue;
    yield [name, field];
    yield* nodesOf(field);
  }
}

function oneLine(sql: string): string {
  return sql.replace(/\s+/g, " ").trim().slice(0, 100);
}
