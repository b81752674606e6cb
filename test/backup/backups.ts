import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "../../src/backup/manifest";
import { prepareBackup } from "../../src/backup/prepare";
import type { BackupRequest, PreparedBackup } from "../../src/backup/request";
import { backup } from "../../src/commands/backup";
import { type RestoreReport, restore } from "../../src/commands/restore";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { catalogSession } from "../../src/databases/postgres/catalog/session";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { BackupReport } from "../../src/model/deployment";
import { readSettings } from "../../src/project/read-settings";
import { testClient } from "../support/database";

/** A folder for backups and records, gone with its block. */
export interface WorkFolder extends AsyncDisposable {
  readonly path: string;
  /** Everything that lies in its folder for backups. */
  backups(): string[];
  /** The records, oldest first. */
  records(): Promise<Record<string, unknown>[]>;
}

export async function workFolder(): Promise<WorkFolder> {
  const path = await mkdtemp(join(tmpdir(), "backup-test-"));
  return {
    path,
    backups: () => list(join(path, "backups")),
    records: () =>
      Promise.all(
        list(join(path, "records")).map(
          async (name) =>
            JSON.parse(await readFile(join(path, "records", name), "utf8")) as Record<string, unknown>,
        ),
      ),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name !== ".gitignore")
      .sort();
  } catch {
    return [];
  }
}

/** `migration-gate backup` of this database, without a process of its own. */
export function takeBackup(folder: WorkFolder, address: Address, ...words: string[]): Promise<BackupReport> {
  const settings = readSettings(["--backup-directory", join(folder.path, "backups"), ...words], {});
  const environment = { PATH: process.env.PATH, DATABASE_URL: urlOf(address) };
  return backup({ settings, environment, progress: () => undefined, notice: () => undefined });
}

/** prepareBackup with these words as settings; `use` has it while its connection is open. */
export async function prepare<Result>(
  folder: WorkFolder,
  address: Address,
  words: readonly string[],
  use: (prepared: PreparedBackup) => Promise<Result> | Result,
  more: Partial<BackupRequest> = {},
): Promise<Result> {
  const settings = readSettings(["--backup-directory", join(folder.path, "backups"), ...words], {});
  await using connected = await testClient(address);
  const { client } = connected;
  const progress = () => undefined;
  const base = { settings, environment: process.env, address, client, heads: [], pending: [], progress };
  return await use(await prepareBackup({ ...base, ...more }));
}

/** `migration-gate restore <file>` into this database, answered with yes. */
export function restoreInto(
  folder: WorkFolder,
  file: string,
  address: Address,
  ...words: string[]
): Promise<RestoreReport> {
  const records = join(folder.path, "records");
  const settings = readSettings(["--to-env", "RESTORE_URL", "--record-directory", records, ...words], {
    MIGRATION_GATE_RESTORE_FROM: file,
  });
  return restore({
    settings,
    environment: { PATH: process.env.PATH, RESTORE_URL: urlOf(address) },
    progress: () => undefined,
    notice: () => undefined,
    confirm: () => Promise.resolve(),
    redact: (value) => value,
  });
}

export async function manifestOf(report: BackupReport): Promise<Manifest> {
  return JSON.parse(await readFile(report.manifest ?? "", "utf8")) as Manifest;
}

export async function query(address: Address, sql: string): Promise<Record<string, unknown>[]> {
  await using connected = await testClient(address);
  const result = await connected.client.query<Record<string, unknown>>(sql);
  return (Array.isArray(result) ? result.at(-1) : result).rows;
}

/** What a database holds: its whole catalog, and a digest of the rows of every table, large object and sequence. */
export async function contentOf(address: Address) {
  await using connected = await testClient(address);
  const { client } = connected;
  const tables = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm') and c.relispopulated and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
  );
  const rows: Record<string, string> = {};
  for (const { name } of tables.rows) {
    const { rows: digests } = await client.query<{ digest: string }>(
      `select count(*) || ' ' || md5(coalesce(string_agg(r::text, E'\\n' order by r::text), '')) as digest from only ${name} r`,
    );
    rows[name] = digests[0]?.digest ?? "";
  }
  const { rows: sequences } = await client.query(
    "select schemaname, sequencename, last_value from pg_sequences order by 1, 2",
  );
  const { rows: objects } = await client.query(
    "select oid::int, md5(lo_get(oid)) as digest from pg_largeobject_metadata order by 1",
  );
  await using second = await testClient(address);
  const catalog = Object.fromEntries(await readCatalog(catalogSession(second.client)));
  return { catalog, rows, sequences, objects };
}
