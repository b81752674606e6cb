import type { Client } from "pg";
import { buildRow, type Profile, profileOf, type Row } from "./build-row";
import { type Answer, insertStatement, insertTogether, Refusal, tryStatements } from "./insert";
import { isTriggers, type Lessons, learn, newLessons, nextRow, reasonOf } from "./repair";
import type { RowPlan } from "./row-plan";
import { linkTogether } from "./together";
import { triggerRows } from "./trigger-literals";

/** What became of the tables of a unit: how many rows went in, and why not more. */
export interface UnitOutcome {
  readonly rows: number;
  readonly reason: string | undefined;
  readonly suspended: boolean;
}

/** Tries of one row, and rows in a row that fail, before a table is given up. */
const mostTries = 24;
const hostileTries = 8;
const mostFailures = 2;

/** Puts `wanted` rows into each table of the unit: at first all at once, then one by one, each until the server takes it. */
export async function fillUnit(
  client: Client,
  plans: readonly RowPlan[],
  wanted: number,
): Promise<UnitOutcome> {
  const state = plans.map(() => newLessons());
  const batch = await fillAtOnce(client, plans, wanted);
  if (batch !== undefined) return batch;
  const accepted: Row[][] = plans.map(() => []);
  let rows = 0;
  let failures = 0;
  let suspended = false;
  let last: Refusal | undefined;
  for (let number = 0; number < wanted && failures < mostFailures; number++) {
    nextRow(state);
    const outcome = await fillOne(client, plans, number, accepted, state);
    suspended ||= outcome.suspended;
    if (outcome.taken) rows++;
    last = outcome.refusal ?? last;
    failures = outcome.taken ? 0 : failures + 1;
    if (!outcome.taken && state.some((lessons) => lessons.isHopeless)) break;
  }
  return { rows, suspended, reason: rows < wanted ? reasonOf(last, plans) : undefined };
}

function profile(plan: RowPlan, number: number, tries: number): Profile {
  return plan.values.tier === "plain" || tries >= hostileTries ? "plain" : profileOf(number);
}

async function fillAtOnce(
  client: Client,
  [plan, ...others]: readonly RowPlan[],
  wanted: number,
): Promise<UnitOutcome | undefined> {
  if (plan === undefined || others.length > 0 || wanted === 0) return undefined;
  const earlier: Row[] = [];
  for (let number = 0; number < wanted; number++) {
    const attempt = { tries: 0, bumps: new Map(), required: new Set<string>() };
    earlier.push(buildRow(plan, { ...attempt, number, profile: profile(plan, number, 0), earlier }));
  }
  const answer = await tryStatements(client, insertStatement(plan.values.table, earlier));
  const taken = "rows" in answer && answer.rows === wanted;
  return taken ? { rows: wanted, reason: undefined, suspended: false } : undefined;
}

interface RowOutcome {
  readonly taken: boolean;
  readonly suspended: boolean;
  readonly refusal?: Refusal;
}

async function fillOne(
  client: Client,
  plans: readonly RowPlan[],
  number: number,
  accepted: Row[][],
  state: readonly Lessons[],
): Promise<RowOutcome> {
  let refusal: Refusal | undefined;
  const build = (tries: number, forced?: Row) =>
    linkTogether(
      plans,
      plans.map((plan, at) =>
        buildRow(plan, {
          number,
          tries,
          profile: profile(plan, number, tries),
          bumps: state[at]!.bumps,
          required: state[at]!.required,
          earlier: accepted[at]!,
          ...(forced === undefined ? {} : { forced }),
        }),
      ),
      number,
    );
  const attempt = async (rows: readonly Row[], before = "", after = ""): Promise<Answer> => {
    const insert = insertTogether(plans.map(({ values }, at) => ({ table: values.table, row: rows[at]! })));
    const answer = await tryStatements(client, `${before}${insert}${after}`);
    if ("rows" in answer && answer.rows > 0) for (const [at, row] of rows.entries()) accepted[at]!.push(row);
    return answer;
  };
  for (let tries = 0; tries < mostTries; tries++) {
    const answer = await attempt(build(tries));
    if (!(answer instanceof Refusal)) {
      if (answer.rows > 0) return { taken: true, suspended: false };
      return { taken: false, suspended: false, refusal: new Refusal({ code: "", message: "" }) };
    }
    refusal = answer;
    learn(answer, plans, state, tries);
    if (state.some(({ isHopeless }) => isHopeless)) break;
    if (!isTriggers(answer)) continue;
    const forced = await triggerRows(client, plans);
    for (const row of forced) {
      const again = await attempt(build(0, row));
      if (!(again instanceof Refusal) && again.rows > 0) return { taken: true, suspended: false };
    }
    if (forced.length > 0 || tries >= hostileTries) {
      const off = await attempt(
        build(hostileTries),
        "set local session_replication_role = replica; ",
        "; set local session_replication_role = origin",
      );
      if (!(off instanceof Refusal) && off.rows > 0) return { taken: true, suspended: true };
      break;
    }
  }
  return { taken: false, suspended: false, ...(refusal === undefined ? {} : { refusal }) };
}
