import { loadModule, parseSync } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/databases/postgres/connection";
import type { ColumnType } from "../../src/model/operation";
import { typeOf } from "../../src/operations/names";
import { rewrites } from "../../src/operations/type-change";
import { testServer } from "../support/database";

beforeAll(() => loadModule());

function type(sql: string): ColumnType | undefined {
  const [statement] = parseSync(`SELECT NULL::${sql}`).stmts ?? [];
  const node = statement?.stmt;
  const [target] = node !== undefined && "SelectStmt" in node ? (node.SelectStmt.targetList ?? []) : [];
  const value = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
  return value !== undefined && "TypeCast" in value ? typeOf(value.TypeCast.typeName) : undefined;
}

const types = [
  "integer",
  "bigint",
  "smallint",
  "text",
  "varchar",
  "varchar(20)",
  "varchar(30)",
  "char(20)",
  "numeric",
  "numeric(10,2)",
  "numeric(12,2)",
  "numeric(12,4)",
  "timestamp",
  "timestamp(3)",
  "timestamptz",
  "date",
  "boolean",
  "uuid",
  "jsonb",
  "json",
  "inet",
  "cidr",
  "text[]",
  "varchar(20)[]",
  "mood",
];

describe("rewrites", () => {
  test("agrees with the server on every pair of types, where it does not say that it does not know", async () => {
    await using server = await testServer();
    const database = await server.database();
    const client = await connect(database.address);
    try {
      await client.query("CREATE TYPE mood AS ENUM ('glad')");
      const wrong: string[] = [];
      const unknown: string[] = [];
      for (const from of types) {
        for (const to of types) {
          if (from === to) continue;
          await client.query("DROP TABLE IF EXISTS t");
          await client.query(`CREATE TABLE t (a ${from})`);
          const before = await fileOf();
          try {
            await client.query(`ALTER TABLE t ALTER a TYPE ${to} USING a::${to}`);
          } catch {
            continue;
          }
          const said = rewrites(type(from), type(to), false);
          const seen = before === (await fileOf()) ? "no" : "yes";
          if (said === "unknown") unknown.push(`${from} to ${to}`);
          else if (said !== seen) wrong.push(`${from} to ${to}: ${said}, the server ${seen}`);
          if (rewrites(undefined, type(to), false) === "yes" && seen === "no")
            wrong.push(`anything to ${to}`);
        }
      }
      expect(wrong).toEqual([]);
      // From timestamp to timestamptz and back depends on the session's time zone; arrays and enums on more.
      expect(unknown.filter((pair) => !/timestamp|mood|\[\]/.test(pair))).toEqual([]);
    } finally {
      await client.end();
    }

    async function fileOf(): Promise<unknown> {
      const { rows } = await client.query("SELECT relfilenode FROM pg_class WHERE oid = 't'::regclass");
      return rows[0].relfilenode;
    }
  });
});
