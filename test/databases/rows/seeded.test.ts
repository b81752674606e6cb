import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../support/random";
import { startServer, type TestServer } from "../server";
import { randomSchema } from "./random-schema";
import { contents, fill, ownedDatabase } from "./support";

/** CI gives another one each time; a failure is repeated with the seed that it printed. */
const seed = Number(process.env.TEST_SEED || Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`TEST_SEED=${seed} repeats test/databases/rows\n`);

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.[Symbol.asyncDispose]());

describe.each(["hostile", "plain"] as const)(
  `200 tables of a random schema, %s (TEST_SEED=${seed})`,
  (tier) => {
    test("are filled to 98 % or more, the rest is named, and a second database gets the same", async () => {
      const sql = randomSchema(new Random(seed), 200);
      const [one, other] = await Promise.all(
        [`${tier} one`, `${tier} other`].map(async (name) => {
          const client = await ownedDatabase(server, name);
          await client.query(sql);
          const tables = [await fill(client, { tier }), await fill(client, { tier, topUp: true })];
          const rows = await contents(client);
          await client.end();
          return { tables, rows };
        }),
      );
      for (const tables of one!.tables) {
        expect(tables.length).toBeGreaterThanOrEqual(200);
        const empty = tables.filter(({ rows }) => rows === 0);
        expect(empty.length, JSON.stringify(empty)).toBeLessThanOrEqual(tables.length * 0.02);
        expect(tables.filter(({ rows, wanted, reason }) => rows < wanted !== (reason !== undefined))).toEqual(
          [],
        );
      }
      expect(one).toEqual(other);
    });
  },
);
