import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import type { Finding } from "../../src/model/finding";
import { rules } from "../../src/rules/index";
import type { Observed, ObservedRun } from "../../src/rules/observed";
import { observed } from "../../src/rules/observed-runs";
import type { ExampleRevision, Rule } from "../../src/rules/rule";
import { type TestServer, testServer } from "../support/database";
import { type JudgedEnd, judge } from "../support/gate";
import { alembicProject } from "../support/project";

const all = Object.entries<Rule>(rules);
const fresh: Record<string, Observed> = {};

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  if (process.env.UPDATE_OBSERVED !== undefined) write(fresh);
});

/** Both revisions of an example through the whole gate: Alembic, the recorder, the replay. */
async function run(given: ExampleRevision, example: ExampleRevision): Promise<JudgedEnd> {
  await using project = await alembicProject({
    revisions: [
      { id: "given", down: null, ...given },
      { id: "example", down: "given", ...example },
    ],
  });
  return await judge({
    cwd: project.path,
    args: ["--fail-on", "warning"],
    env: { MIGRATION_GATE_SHADOW_URL: urlOf(server.address) },
  });
}

function lintOf({ report }: JudgedEnd): Finding[] {
  return report.findings.filter(({ rule, revision }) => revision === "example" && rule in rules);
}

function observe({ report }: JudgedEnd): ObservedRun {
  const upgrade = report.steps.find(
    ({ revision, direction }) => revision === "example" && direction === "upgrade",
  );
  const statements = (upgrade?.statements ?? []).map(({ sql, locks = [], rewrites = [] }) => ({
    sql: sql.trim(),
    locks: reproducible(
      sql,
      locks.map(({ relation, mode }) => `${prose(mode)} on ${relation}`),
    ),
    rewrites: [...rewrites],
  }));
  const failed = report.findings.find(
    ({ rule, revision }) => rule === "upgrade-fails" && revision === "example",
  );
  const failure = /; (\w{5}: .*)/.exec(failed?.seen ?? "")?.[1];
  return { statements, ...(failure === undefined ? {} : { failure }) };
}

/**
 * CONCURRENTLY runs in several transactions: which of the later locks are seen from outside depends on the moment. REFRESH
 * also reads its view before PostgreSQL 17.
 */
function reproducible(sql: string, locks: readonly string[]): readonly string[] {
  if (/^REFRESH /.test(sql)) {
    const isHeld = (view: string) => locks.includes(`ACCESS EXCLUSIVE on ${view}`);
    return locks.filter((lock) => !(lock.startsWith("ACCESS SHARE on ") && isHeld(lock.slice(16))));
  }
  if (!/INDEX CONCURRENTLY|DETACH .* CONCURRENTLY/.test(sql)) return locks;
  return locks
    .filter((lock) => lock.startsWith("SHARE UPDATE EXCLUSIVE"))
    .slice(0, 1)
    .map((lock) => `${lock} at first`);
}

/** AccessExclusiveLock → ACCESS EXCLUSIVE. */
function prose(mode: string): string {
  return mode
    .replace(/Lock$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
}

describe.each(all)("%s", (id, rule) => {
  test("reports its bad example, is silent on its good one, and the server does what its page says", async () => {
    const [bad, good] = await Promise.all([
      run(rule.examples.given, rule.examples.bad),
      run(rule.examples.given, rule.examples.good),
    ]);
    expect([...new Set(lintOf(bad).map((finding) => finding.rule))]).toEqual([id]);
    expect(bad.code).toBe(1);
    expect(good.report.findings).toEqual([]);
    expect(good.code).toBe(0);
    fresh[id] = { bad: observe(bad), good: observe(good) };
    if (process.env.UPDATE_OBSERVED === undefined) expect(fresh[id]).toEqual(observed[id]);
  });
});

function write(found: Readonly<Record<string, Observed>>): void {
  const file = path.join(import.meta.dirname, "..", "..", "src", "rules", "observed-runs.ts");
  const text = `import type { Observed } from "./observed";

/** Made by \`npm run observe\`: what PostgreSQL did with the examples; test/rules/examples.test.ts holds it. */
export const observed: Readonly<Record<string, Observed>> = ${JSON.stringify(found, null, 2)};
`;
  writeFileSync(file, text);
}
