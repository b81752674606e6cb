import { readdirSync, truncateSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../src/databases/postgres/connection";
import type { ShadowServer } from "../../src/shadow/server";
import { startShadow } from "../../src/shadow/start";
import { environment, temporaryDirectory } from "./temporary";

test("the second server has a copy of the first one's cluster, empty and with another password", async () => {
  await using cache = await temporaryDirectory();
  using _ = environment({ MIGRATION_GATE_CACHE: cache.path });
  const first = await once(async (server, ask) => {
    await ask("create role left_behind");
    return { cluster: await ask(identifier), password: server.address.password };
  });
  const second = await once(async (server, ask) => ({
    cluster: await ask(identifier),
    password: server.address.password,
    roles: await ask("select count(*)::text from pg_roles where rolname = 'left_behind'"),
  }));
  expect(second.cluster).toBe(first.cluster);
  expect(second.password).not.toBe(first.password);
  expect(second.roles).toBe("0");
});

test("two servers that start at once share one initdb", async () => {
  await using cache = await temporaryDirectory();
  using _ = environment({ MIGRATION_GATE_CACHE: cache.path });
  const clusters = await Promise.all([1, 2].map(() => once((_, ask) => ask(identifier))));
  expect(new Set(clusters).size).toBe(1);
});

test("a kept cluster that is not whole is made anew, and replaced", async () => {
  await using cache = await temporaryDirectory();
  using _ = environment({ MIGRATION_GATE_CACHE: cache.path });
  const first = await once((_, ask) => ask(identifier));
  const [name = ""] = await readdir(join(cache.path, "clusters"));
  const data = join(cache.path, "clusters", name, "data");
  // Comments of the server's own objects: it starts without them, and says nothing.
  const file = readdirSync(join(data, "base", "1")).find((each) => /^\d+$/.test(each)) ?? "";
  truncateSync(join(data, "base", "1", file), 0);
  const second = await once((_, ask) => ask(identifier));
  expect(second).not.toBe(first);
  expect(await once((_, ask) => ask(identifier))).toBe(second);
});

test("files that the server refuses are replaced, too", async () => {
  await using cache = await temporaryDirectory();
  using _ = environment({ MIGRATION_GATE_CACHE: cache.path });
  const first = await once((_, ask) => ask(identifier));
  const [name = ""] = await readdir(join(cache.path, "clusters"));
  // As long as before, so that only the server can tell.
  await writeFile(join(cache.path, "clusters", name, "data", "PG_VERSION"), "9\nx");
  expect(await once((_, ask) => ask(identifier))).not.toBe(first);
});

test("a cache that cannot be made does not stop the server", async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "cache");
  await writeFile(file, "a file where a folder should be");
  using _ = environment({ MIGRATION_GATE_CACHE: file });
  expect(await once((_, ask) => ask(identifier))).toMatch(/^\d+$/);
});

/** initdb gives each cluster a number of its own. */
const identifier = "select system_identifier::text from pg_control_system()";

async function once<Result>(
  work: (server: ShadowServer, ask: (sql: string) => Promise<string | undefined>) => Promise<Result>,
): Promise<Result> {
  await using server = await startShadow({});
  const client = await connect(server.address);
  try {
    return await work(server, async (sql) => {
      const { rows } = await client.query<[string]>({ text: sql, rowMode: "array" });
      return rows[0]?.[0];
    });
  } finally {
    await client.end();
  }
}
