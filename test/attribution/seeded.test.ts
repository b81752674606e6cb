import { describe, expect, test } from "vitest";
import { effects } from "../support/generated/operation";
import { drivers } from "../support/project";
import { Random } from "../support/random";
import { judgePlanted } from "./planted";

/** CI gives another one each time; a failure is repeated with the seed that it printed. */
const seed = Number(process.env.TEST_SEED || Math.floor(Math.random() * 2 ** 31));
const random = new Random(seed);
const revisions = 70;
const defects = 30;

process.stdout.write(`TEST_SEED=${seed} repeats test/attribution\n`);

const cases = drivers.flatMap((driver) =>
  [false, true].map((transactionPerMigration) => ({
    driver,
    transactionPerMigration,
    seed: random.between(0, 2 ** 31),
  })),
);
/** Defects that stop other revisions cost a way of their own each: one combination a run has them, by the seed. */
const withAllEffects = random.between(0, cases.length - 1);

describe(`${defects} planted defects, each named on its revision and none other (TEST_SEED=${seed})`, () => {
  test.each(cases.map((options, index) => ({ ...options, all: index === withAllEffects })))(
    "$driver, transaction_per_migration $transactionPerMigration, seed $seed, all effects $all",
    async ({ all, ...options }) => {
      const judged = await judgePlanted({
        ...options,
        revisions,
        defects,
        effects: all ? effects : ["residue"],
      });
      expect(judged).toEqual({ planted: defects, missed: [], innocent: [] });
    },
  );
});
