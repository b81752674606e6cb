import type { Client } from "pg";
import { buildRow, type Profile, profileOf, type Row } from "./build-row";
import { insertStatement, insertTogether, verifyKeys } from "./insert";
import {
  isConflict,
  isExhausted,
  isHopeless,
  isTriggers,
  type Lessons,
  learn,
  newLessons,
  nextRow,
  reasonOf,
} from "./repair";
import type { RowPlan } from "./row-plan";
import { type Answer, Refusal, tryStatements } from "./savepoint";
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
/** For the rows of a table, where a trigger takes its time. */
const limitMs = 20_000;

/**
 * Puts `wanted` rows into each table of the unit: at first all at once, then one by one, each until the server takes it.
 * `suspended`: triggers refused every row, and were off for ours, as only some roles may have it.
 */
export async function fillUnit(
  client: Client,
  plans: readonly RowPlan[],
  wanted: number,
): Promise<UnitOutcome> {
  if (wanted === 0) return { rows: 0, reason: undefined, suspended: false };
  const atOnce = await fillAtOnce(client, plans, wanted);
  if (atOnce instanceof Refusal) {
    if (isHopeless(atOnce)) return { rows: 0, reason: reasonOf(atOnce, plans), suspended: false };
  } else if (atOnce.rows > 0) {
    const reason = atOnce.rows < wanted ? reasonOf(new Refusal({}), plans) : undefined;
    return { rows: atOnce.rows, reason, suspended: false };
  }
  const filler = new UnitFiller(client, plans);
  const until = performance.now() + limitMs;
  let rows = 0;
  let failures = 0;
  for (let number = 0; number < wanted && failures < mostFailures && !filler.isHopeless; number++) {
    if (performance.now() > until) {
      const reason = `Its rows take longer than ${limitMs / 1000} s. ${reasonOf(filler.lastRefusal, plans)}`;
      return { rows, suspended: filler.isSuspended, reason };
    }
    const isTaken = await filler.fillOne(number);
    rows += isTaken ? 1 : 0;
    failures = isTaken ? 0 : failures + 1;
  }
  const reason = rows < wanted ? reasonOf(filler.lastRefusal, plans) : undefined;
  return { rows, suspended: filler.isSuspended, reason };
}

function profile(plan: RowPlan, number: number, tries: number): Profile {
  return plan.values.tier === "plain" || tries >= hostileTries ? "plain" : profileOf(number);
}

async function fillAtOnce(
  client: Client,
  [plan, ...others]: readonly RowPlan[],
  wanted: number,
): Promise<Answer> {
  if (plan === undefined || others.length > 0) return { rows: 0 };
  const earlier: Row[] = [];
  for (let number = 0; number < wanted; number++) {
    const nothing = { tries: 0, bumps: new Map<string, number>(), required: new Set<string>() };
    earlier.push(buildRow(plan, { ...nothing, number, profile: profile(plan, number, 0), earlier }));
  }
  return tryStatements(client, insertStatement(plan.values.table, earlier));
}

class UnitFiller {
  readonly #client: Client;
  readonly #plans: readonly RowPlan[];
  readonly #accepted: readonly Row[][];
  readonly #lessons: readonly Lessons[];
  /** Values that the triggers took. */
  #forced: Row | undefined;
  isSuspended = false;
  lastRefusal: Refusal | undefined;

  constructor(client: Client, plans: readonly RowPlan[]) {
    this.#client = client;
    this.#plans = plans;
    this.#accepted = plans.map(() => []);
    this.#lessons = plans.map(newLessons);
  }

  get isHopeless(): boolean {
    return this.#lessons.some(({ isHopeless }) => isHopeless);
  }

  /** True once the row, or another in its place, is in. */
  async fillOne(number: number): Promise<boolean> {
    nextRow(this.#lessons, this.#plans);
    for (let tries = 0; tries < mostTries; tries++) {
      const answer = await this.#try(number, tries, this.#forced);
      if (!(answer instanceof Refusal)) return answer.rows > 0;
      if (this.isHopeless || isExhausted(answer, this.#plans, tries)) return false;
      if (!isTriggers(answer) || this.isSuspended) continue;
      const forced = await triggerRows(this.#client, this.#plans);
      for (const row of forced) if (await this.#insist(number, row)) return true;
      if (forced.length === 0 && tries < hostileTries) continue;
      this.isSuspended = await this.#insist(number, undefined);
      return this.isSuspended;
    }
    return false;
  }

  /** The row with these values, or with triggers off, until nothing is in its way that was there before. */
  async #insist(number: number, forced: Row | undefined): Promise<boolean> {
    const refused = this.lastRefusal;
    for (let tries = 0; tries < mostTries; tries++) {
      const answer = await this.#try(
        number,
        forced === undefined ? hostileTries : 0,
        forced,
        forced === undefined,
      );
      if (!(answer instanceof Refusal)) {
        this.#forced = forced;
        return answer.rows > 0;
      }
      if (isConflict(answer)) continue;
      // That this role may not have triggers off is no news.
      this.lastRefusal = refused;
      for (const lessons of this.#lessons) lessons.isHopeless = false;
      return false;
    }
    return false;
  }

  async #try(number: number, tries: number, forced?: Row, off = this.isSuspended): Promise<Answer> {
    const plans = this.#plans;
    const rows = linkTogether(
      plans,
      plans.map((plan, at) =>
        buildRow(plan, {
          number,
          tries,
          profile: profile(plan, number, tries),
          bumps: this.#lessons[at]!.bumps,
          required: this.#lessons[at]!.required,
          earlier: this.#accepted[at]!,
          ...(forced === undefined ? {} : { forced }),
        }),
      ),
      number,
    );
    const insert = insertTogether(plans.map(({ values }, at) => ({ table: values.table, row: rows[at]! })));
    const role = (word: string) => `set local session_replication_role = ${word}`;
    const verified = plans.map(({ values }) => verifyKeys(values.table)).join("");
    const answer = await tryStatements(
      this.#client,
      off ? `${role("replica")}; ${insert}; ${role("origin")}${verified}` : insert,
    );
    if (answer instanceof Refusal) {
      this.lastRefusal = answer;
      learn(answer, plans, this.#lessons, tries);
    } else if (answer.rows > 0) for (const [at, row] of rows.entries()) this.#accepted[at]!.push(row);
    else this.lastRefusal = new Refusal({});
    return answer;
  }
}
