import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import { findPrograms } from "../../src/backup/programs";
import type { Address } from "../../src/databases/postgres/connection";
import type { ShadowOptions } from "../../src/shadow/server";
import { baseSchema, cases } from "../databases/catalog-cases";
import { testClient, testServer } from "../support/database";
import { contentOf, manifestOf, query, restoreInto, takeBackup, workFolder } from "./backups";

const servers: readonly [name: string, options: ShadowOptions][] = [
  ["this machine's PostgreSQL", {}],
  ...[14, 15, 16, 17, 18].map((major): [string, ShadowOptions] => [
    `PostgreSQL ${major}`,
    { only: "embedded", production: major },
  ]),
];

const rows = `
  insert into t (id, ref, name, flag, note) overriding system value select g, g, 'n' || g, g % 2 = 0, repeat('ä"\\\\'' ', g % 50) from generate_series(1, 500) g;
  insert into "T ""q"".é" select g, E'two\\nlines\\t\\\\N' from generate_series(1, 20) g;
  insert into part1 select g % 10, 'b', g from generate_series(1, 50) g;
  create table "numbers" (b bytea, j jsonb, a text[], n numeric, d timestamptz, f float8, u uuid);
  insert into "numbers" select decode(md5(g::text), 'hex'), jsonb_build_object('g', g), array['x', null, '{}'], 'NaN', 'infinity', 'NaN', md5(g::text)::uuid
    from generate_series(1, 100) g;
  insert into "numbers" default values;
  refresh materialized view mv;
  select setval('s', 4711);
  select lo_from_bytea(4242, 'a large object'), lo_from_bytea(0, decode(repeat('00ff', 40000), 'hex'));
`;

/** What pg_dump itself cannot give back: it takes every language for one that an extension brings. */
const notDumped = /^create (?:trusted )?language/;
/** And what one that is newer than the server writes for newer servers only. */
const notDumpedByNewer = /^create subscription/;

/** Everything that the catalog knows of, as far as one fits to the other. Returns how much that was. */
async function fill(address: Address, major: number): Promise<number> {
  await using connected = await testClient(address);
  const { client } = connected;
  await client.query("do $$ begin create role mg_reader; exception when duplicate_object then null; end $$");
  await client.query(baseSchema);
  await client.query(rows);
  let made = 0;
  const search = {
    setting: undefined,
    image: undefined,
    host: address.host,
    environment: process.env,
    progress: () => undefined,
  };
  const isNewer = (await findPrograms(major, search)).major > major;
  const isDumped = (up: string) => !(notDumped.test(up) || (isNewer && notDumpedByNewer.test(up)));
  for (const { up } of cases.filter((each) => isDumped(each.up)))
    made += await client.query(up).then(
      () => 1,
      () => 0,
    );
  return made;
}

describe.each(servers)("%s", (_, options) => {
  test("every kind of object and every row comes back, encrypted and not", async () => {
    await using server = await testServer(options);
    await using source = await server.database("source");
    await using target = await server.database("target");
    await using folder = await workFolder();
    expect(await fill(source.address, server.shadow.major)).toBeGreaterThan(80);
    const before = await contentOf(source.address);
    const identity = await generateX25519Identity();
    writeFileSync(join(folder.path, "key.txt"), `# a key\n${identity}\n`);
    const report = await takeBackup(
      folder,
      source.address,
      "--backup-recipient",
      await identityToRecipient(identity),
    );
    expect(await contentOf(source.address)).toEqual(before);
    const stored = await readFile(report.location ?? "");
    expect(stored.toString("latin1")).toMatch(/^age-encryption\.org\/v1\n/);
    const manifest = await manifestOf(report);
    expect(Math.floor(manifest.serverVersion / 10_000)).toBe(server.shadow.major);
    // This machine may have the next one above, and then none is fetched.
    const pgDump = Number.parseInt(manifest.pgDump, 10);
    expect(pgDump).toBeGreaterThanOrEqual(server.shadow.major);
    expect(manifest.warnings).toHaveLength(pgDump > server.shadow.major ? 1 : 0);
    expect(manifest.compression).toBe(pgDump >= 16 ? "zstd:1" : "gzip:1");
    const restored = await restoreInto(
      folder,
      report.location ?? "",
      target.address,
      "--identity-file",
      join(folder.path, "key.txt"),
    );
    expect(restored.warnings).toEqual([]);
    expect(await contentOf(target.address)).toEqual(before);

    // Once more, over the target, which has something else by now.
    const plain = await takeBackup(folder, source.address);
    await query(target.address, "create table later (id int)");
    const replaced = await restoreInto(folder, plain.location ?? "", target.address, "--replace");
    expect(replaced.replaced?.kept).toMatch(/_before_\d{14}$/);
    expect(await contentOf(target.address)).toEqual(before);
  });
});
