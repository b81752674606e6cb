import { loadModule } from "libpg-query";
import { expect, test } from "vitest";
import { requireConcurrentIndexCreation } from "../../src/rules/require-concurrent-index-creation";
import { requireConcurrentIndexDeletion } from "../../src/rules/require-concurrent-index-deletion";
import { testClient, testServer } from "../support/database";
import { said } from "./said";

const creation = "require-concurrent-index-creation";

/** The way that the rule's `do` names, in its order. */
const way = [
  "CREATE INDEX i ON ONLY t (a)",
  "CREATE INDEX CONCURRENTLY i_p ON p (a)",
  "ALTER INDEX i ATTACH PARTITION i_p",
];

test("an index of a partitioned table is made the way that the rules name, as PostgreSQL refuses CONCURRENTLY", async () => {
  await using server = await testServer();
  const { address } = await server.database();
  await using connection = await testClient(address);
  const run = async (sql: string): Promise<string> => {
    try {
      await connection.client.query(sql);
      return "done";
    } catch (error) {
      return String(error);
    }
  };
  await run("CREATE TABLE t (a int) PARTITION BY LIST (a)");
  await run("CREATE TABLE p PARTITION OF t FOR VALUES IN (1)");
  expect(await run("CREATE INDEX CONCURRENTLY i ON t (a)")).toMatch(
    /cannot create index on partitioned table/,
  );
  for (const sql of way) expect(await run(sql)).toBe("done");
  const { rows } = await connection.client.query(
    "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass",
  );
  expect(rows).toEqual([{ indisvalid: true }]);
  expect(await run("DROP INDEX CONCURRENTLY i")).toMatch(/cannot drop partitioned index "i" concurrently/);
  expect(await run("DROP INDEX CONCURRENTLY i_p")).toMatch(
    /cannot drop index i_p because index i requires it/,
  );
  expect(await run("DROP INDEX i")).toBe("done");
});

test("the rules name that way, and are silent on it", async () => {
  await loadModule();
  const steps = /ON ONLY .* CONCURRENTLY .* ATTACH PARTITION/;
  expect(requireConcurrentIndexCreation.do).toMatch(steps);
  expect(requireConcurrentIndexDeletion.do).toMatch(/refuses .* partitioned .* lock_timeout/);
  expect(said('op.execute("CREATE INDEX i ON t (a)")')).toEqual([`${creation} index i`]);
  expect(said(way.map((sql) => `op.execute("${sql}")`).join("\n"))).toEqual([]);
});
