import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../src/databases/postgres/connection";
import { startShadow } from "../../src/shadow/start";

test("a kept cluster has its databases, rows and roles, another password, and no segment to spare", async () => {
  const folder = await mkdtemp(join(tmpdir(), "migration-gate-test-"));
  try {
    const { name, password } = await (async () => {
      await using server = await startShadow({});
      const database = await server.createDatabase("kept");
      const client = await connect(database.address);
      // More than one segment of write-ahead log, of which the checkpoint keeps some to be written again.
      await client.query(
        "create table numbers as select generate_series(1, 100000) as one; create role keeper",
      );
      await client.end();
      await server.keep?.(folder);
      return { name: database.name, password: server.address.password };
    })();
    expect((await readdir(join(folder, "data", "pg_wal"))).filter((file) => file.length === 24)).toHaveLength(
      1,
    );
    await using server = await startShadow({ keptCluster: async () => folder });
    const client = await connect({ ...server.address, database: name });
    const { rows } = await client.query<{ rows: number; roles: number }>(
      "select (select count(*)::int from numbers) as rows, (select count(*)::int from pg_roles where rolname = 'keeper') as roles",
    );
    await client.end();
    expect([rows, server.address.password === password]).toEqual([[{ rows: 100_000, roles: 1 }], false]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a kept cluster that is not whole is no server", async () => {
  const folder = await mkdtemp(join(tmpdir(), "migration-gate-test-"));
  try {
    await expect(startShadow({ keptCluster: async () => folder })).rejects.toThrow(
      /kept base could not be read/,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
