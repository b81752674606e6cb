import { describe, expect, test } from "vitest";
import { lintOff } from "../support/gate";
import { alembicFiles, drivers, type RevisionSource } from "../support/project";
import { Random } from "../support/random";
import { landedIslands } from "./islands";
import { cleanRevision, type DefectEffect, type DefectKind, defectKinds } from "./planted-defects";
import { judgeChange, revision, revisionFiles, toldBy } from "./shape";

/** CI gives another one each time; a failure is repeated with the seed that it printed. */
const seed = Number(process.env.TEST_SEED || Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`TEST_SEED=${seed} repeats test/shapes\n`);

interface Case {
  readonly seed: number;
  readonly kinds: readonly DefectKind[];
}

/**
 * What stops the way hides what comes at the same rows: one such defect in a change, and with one that any rows stop none that
 * loses rows. The kinds are dealt so that a run has as many as its changes hold.
 */
function deal(random: Random): Case[] {
  const of = (effect: DefectEffect) => random.shuffled(defectKinds.filter((kind) => kind.effect === effect));
  const [stops, hostile, loses, schema] = (["stops", "stopsHostile", "loses", "schema"] as const).map(of);
  const take = (kinds: DefectKind[] | undefined, count: number) => kinds?.splice(0, count) ?? [];
  const dealt = [
    [...take(stops, 1), ...take(schema, 1)],
    [...take(stops, 1), ...take(schema, 1)],
    [...take(hostile, 1), ...take(loses, 2)],
    [...take(hostile, 1), ...take(loses, 1), ...take(schema, 1)],
    take(loses, 3),
  ];
  return dealt.map((kinds) => ({ kinds, seed: random.between(0, 2 ** 31) }));
}

/** The base's files, the change's, and what is to be said of it. */
function plant({ kinds, ...given }: Case) {
  const random = new Random(given.seed);
  const { revisions, islands, head } = landedIslands(random);
  const files = { driver: random.pick(drivers), transactionPerMigration: random.chance(0.5) };
  const places = random.shuffled(islands);
  const clean = random.between(kinds.length > 2 ? 0 : 1, 1);
  const change: RevisionSource[] = [];
  const findings: string[] = [];
  let down = head;
  for (const kind of random.shuffled([...kinds, ...Array.from({ length: clean }, () => undefined)])) {
    const island = places.pop();
    if (island === undefined) throw new Error("too few islands");
    const id = `n${random.hex(7)}`;
    const planted = kind?.plant(island);
    findings.push(...(planted?.findings(id, island) ?? []));
    if (planted?.edit !== undefined) {
      const source = revisions.find((one) => one.id === island.id);
      if (source !== undefined) change.push(planted.edit(source));
      continue;
    }
    const { upgrade = "", downgrade = "" } = planted ?? {};
    change.push(
      planted === undefined
        ? cleanRevision(random, id, down, island)
        : revision(id, down, upgrade, downgrade),
    );
    down = id;
  }
  return {
    base: { ...alembicFiles({ ...files, revisions }), ...lintOff },
    change: revisionFiles(...change),
    findings: findings.sort(),
  };
}

describe(`each planted defect is named on its revision, and nothing else is (TEST_SEED=${seed})`, () => {
  const cases = deal(new Random(seed)).map((one) => ({
    ...one,
    names: one.kinds.map(({ name }) => name).join("; "),
  }));
  test.each(cases)("$names, seed $seed", async (one) => {
    const { base, change, findings } = plant(one);
    const end = await judgeChange({ base }, change);
    const told = end.report.findings.map(
      ({ rule, revision: id, what, seen }) => `${rule} ${id}: ${what} ${seen}`,
    );
    const texts = Object.entries(change).map(([file, text]) => `${file}\n${text}`);
    expect(toldBy(end).findings, [...told, ...texts].join("\n")).toEqual(findings);
  });
});
