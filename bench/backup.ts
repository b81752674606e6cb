import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { compressionOf, programsOfMajor } from "../src/backup/programs";
import { type Address, connect, urlOf } from "../src/databases/postgres/connection";
import { startShadow } from "../src/shadow/start";
import type { BackupSample } from "./backup-sample";
import { median, spread, type Target } from "./figures";
import { sample } from "./processes";

const run = promisify(execFile);
const mostMemory = 150;

/** As pgbench fills its largest table: what a dump compresses to nearly nothing. */
const pgbenchLike = (megabytes: number) => `
  create table pgbench_accounts (aid int not null, bid int, abalance int, filler char(84)) with (fillfactor = 100);
  insert into pgbench_accounts select g, g / 100000 + 1, 0, '' from generate_series(1, ${megabytes * 7_400}) g;
  alter table pgbench_accounts add primary key (aid); analyze`;

/** As an application's: keys of uuids, times, JSON, and text of words of which few are common. */
const applicationLike = (megabytes: number) => `
  create table events as select gen_random_uuid() as id, gen_random_uuid() as account, now() - random() * interval '400 days' as at,
      jsonb_build_object('path', '/boards/' || (random() * 1e6)::int || '/cards/' || g, 'took', round((random() * 1000)::numeric, 3), 'session', gen_random_uuid()) as request,
      (select string_agg(substr(translate(md5(n::text), '0123456789', 'aeioulnrst'), 1, 3 + n % 7), ' ')
         from (select (random() * random() * 5000)::int as n from generate_series(1, 10 + g % 9)) as picked) as note
    from generate_series(1, ${megabytes * 3_000}) g;
  alter table events add primary key (id); analyze`;

/** Random bytes: all that a dump can save is their hexadecimal form. */
const incompressible = (megabytes: number) => `
  create table noise as select g as id, decode((select string_agg(md5(random()::text || g || i), '') from generate_series(1, 14) i), 'hex') as payload
    from generate_series(1, ${megabytes * 3_500}) g;
  alter table noise add primary key (id); analyze`;

export interface BackupBench {
  readonly repetitions: number;
  readonly megabytes: number;
  /** The ratio that is promised; a small database is all start and end. */
  readonly most: number;
}

/** Our backup (checked, hashed, and once encrypted) against bare pg_dump, in turn, on one server. */
export async function benchBackup(
  { repetitions, megabytes, most }: BackupBench,
  say: (line: string) => void,
): Promise<Target[]> {
  await using server = await startShadow({ only: "embedded", production: 18 });
  const programs = await programsOfMajor(server.major, { environment: process.env, progress: say });
  const compression = await compressionOf(programs);
  const recipient = await identityToRecipient(await generateX25519Identity());
  const folder = mkdtempSync(join(tmpdir(), "bench-backup-"));
  const targets: Target[] = [];
  let memory = 0;
  try {
    for (const [kind, sql] of [
      ["pgbench-like", pgbenchLike],
      ["application-like", applicationLike],
      ["random bytes", incompressible],
    ] as const) {
      await using database = await server.createDatabase("bench");
      const size = await fill(database.address, sql(megabytes));
      const bare: number[] = [];
      const ours: { plain: BackupSample[]; encrypted: BackupSample[] } = { plain: [], encrypted: [] };
      // The first round brings the table and the programs into the page cache, and does not count.
      for (let round = -1; round < repetitions; round++) {
        const file = join(folder, "bare.dump");
        const milliseconds = await bareDump(programs.dump, compression, database.address, file);
        const url = urlOf(database.address);
        const plain = await sample<BackupSample>("backup", { path: folder, base: url });
        const encrypted = await sample<BackupSample>("backup", { path: folder, base: url }, [recipient]);
        for (const each of [file, plain.location, encrypted.location]) rmSync(each);
        if (round < 0) continue;
        bare.push(milliseconds);
        ours.plain.push(plain);
        ours.encrypted.push(encrypted);
      }
      say(
        `\nBackup of a ${kind} database of ${size} MB by pg_dump ${programs.version} (${compression}); ${repetitions} times each, in turn`,
      );
      say("                                 wall ms: min  median     max");
      say(`  bare pg_dump -Fc                 ${spread(bare)}`);
      for (const [name, samples] of Object.entries(ours)) {
        const ratios = samples.map(({ take }, index) => take / (bare[index] ?? Number.NaN));
        memory = Math.max(memory, ...samples.map((each) => each.memory));
        say(`  ours, ${name.padEnd(26)} ${spread(samples.map(({ take }) => take))}`);
        say(
          `    ratio of each pair: ${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}; ` +
            `before it ${median(samples.map(({ prepare }) => prepare)).toFixed(0)} ms; cpu of the gate ${median(samples.map(({ cpu }) => cpu)).toFixed(0)} ms; ` +
            `${((samples[0]?.bytes ?? 0) / 1e6).toFixed(0)} MB kept`,
        );
        targets.push({
          name: `backup, ${kind}, ${name}`,
          bound: "at most",
          value: most,
          unit: "x",
          measured: median(ratios),
        });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  targets.push({
    name: "backup, memory",
    bound: "at most",
    value: mostMemory,
    unit: " MB",
    measured: memory,
  });
  return targets;
}

async function fill(address: Address, sql: string): Promise<number> {
  const client = await connect(address);
  try {
    await client.query(sql);
    await client.query("checkpoint");
    const { rows } = await client.query<{ size: number }>(
      "select (pg_database_size(current_database()) / 1000000)::int as size",
    );
    return rows[0]?.size ?? 0;
  } finally {
    await client.end();
  }
}

/** To a file, which pg_dump brings to the disk, as the gate does. */
async function bareDump(
  pgDump: string,
  compression: string,
  address: Address,
  file: string,
): Promise<number> {
  const { host, port, user, password = "", database } = address;
  const env = { ...process.env, PGPASSWORD: password };
  const level = compression.replace(/^gzip:/, "");
  const started = performance.now();
  await run(pgDump, ["-h", host, "-p", String(port), "-U", user, "-Fc", "-Z", level, "-f", file, database], {
    env,
  });
  return performance.now() - started;
}
