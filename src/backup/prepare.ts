import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { redact } from "../databases/postgres/connection";
import { UserError } from "../errors";
import type { BackupReport } from "../model/deployment";
import type { Settings } from "../settings";
import { ageEncryption, checkRecipients } from "./age";
import { dump } from "./dump";
import { authorities, libpqEnvironment, needsAuthorities } from "./libpq";
import { type Manifest, manifestName, restoreCommand } from "./manifest";
import {
  createPartialFolder,
  type PartialFolder,
  removeLeftBackups,
  requireBackupDirectory,
} from "./partial-folder";
import { compressionOf, findPrograms, type Programs } from "./programs";
import type { BackupRequest, PreparedBackup } from "./request";
import { fileStore, type Store, sinkStore, sinkWords } from "./store";
import { type TableSize, tableSizes } from "./tables";

/** What a backup is taken with, all of it found and tried. */
interface Plan {
  readonly programs: Programs;
  readonly compression: "zstd:1" | "gzip:1";
  readonly server: { readonly number: number; readonly major: number; readonly version: string };
  readonly directory: string;
  readonly recipients: readonly string[];
  readonly to: Settings["backup-to"];
  /** The file's name. */
  readonly name: string;
  readonly warnings: readonly string[];
}

/**
 * Refuses what can be refused before anything is touched: settings, programs, keys, the folder, the command. Removes
 * what backups of killed runs left in the folder.
 */
export async function prepareBackup(request: BackupRequest): Promise<PreparedBackup> {
  const { settings, environment, address, progress } = request;
  const notice = (text: string) => (request.notice ?? progress)(text);
  if (settings.backup === "none") return noBackup(settings["backup-because"]);
  const recipients = settings["backup-recipient"] ?? [];
  await checkRecipients(recipients);
  checkSettings(request, recipients);
  const server = await serverOf(request);
  const programs = await findPrograms(server.major, {
    setting: settings["pg-dump"],
    environment,
    progress: notice,
  });
  const warnings =
    programs.major > server.major
      ? [
          `pg_dump ${programs.version} is newer than the server, PostgreSQL ${server.version}: the backup is restored best with PostgreSQL ${programs.major} or newer.`,
        ]
      : [];
  for (const warning of warnings) notice(warning);
  const directory = await requireBackupDirectory(settings["backup-directory"]);
  await removeLeftBackups(directory, notice);
  const name = newName(address.database, recipients.length > 0);
  const plan: Plan = {
    programs,
    compression: await compressionOf(programs),
    server,
    directory,
    recipients,
    to: settings["backup-to"],
    name,
    warnings,
  };
  if (plan.to === "command") sinkWords(settings["backup-sink"] ?? "", name, environment);
  return { description: describe(plan, settings), take: () => take(request, plan) };
}

function noBackup(because: string | undefined): PreparedBackup {
  if (because === undefined || because.trim() === "") {
    throw new UserError({
      what: "The setting backup is none, and backup-because does not say why no backup is needed.",
      why: "Without a backup, what a migration destroys is gone.",
      do: "Say it, e.g. backup-because: snapshot rds:prod-2026-11-21, or take one: backup: dump.",
    });
  }
  const report: BackupReport = {
    kind: "none",
    because,
    location: undefined,
    manifest: undefined,
    sha256: undefined,
    bytes: undefined,
    encrypted: false,
    milliseconds: 0,
    restore: undefined,
  };
  return { description: `no backup: ${because}`, take: () => Promise.resolve(report) };
}

function checkSettings({ settings, uploadArtifact }: BackupRequest, recipients: readonly string[]): void {
  const to = settings["backup-to"];
  const sink = settings["backup-sink"];
  if (to === "command" && sink === undefined) {
    throw new UserError({
      what: "The setting backup-to is command, and backup-sink names none.",
      do: 'Set backup-sink to a command that reads standard input, e.g. aws s3 cp - "s3://backups/{name}".',
    });
  }
  if (to !== "command" && sink !== undefined) {
    throw new UserError({
      what: `The setting backup-sink names a command, but backup-to is ${to}: nothing would be given to it.`,
      do: "Set backup-to to command, or remove backup-sink.",
    });
  }
  if (to !== "artifact") return;
  if (recipients.length === 0) {
    throw new UserError({
      what: "The setting backup-to is artifact, and the backup would not be encrypted.",
      why: "Everybody who can read the repository can read its artifacts.",
      do: "Set backup-recipient to an age public key; docs/backup.md says how to make one.",
    });
  }
  if (uploadArtifact === undefined) {
    throw new UserError({
      what: "The setting backup-to is artifact, and only the action in a workflow can keep one.",
      do: "Set backup-to to file or command.",
    });
  }
}

async function serverOf({ client }: BackupRequest): Promise<Plan["server"]> {
  const { rows } = await client.query<{ number: number; version: string }>(
    "select pg_catalog.current_setting('server_version_num')::int as number, pg_catalog.current_setting('server_version') as version",
  );
  const { number, version } = rows[0] ?? { number: 0, version: "" };
  return { number, major: Math.floor(number / 10_000), version: version.split(" ")[0] ?? version };
}

/** `boards-20261121T234000Z-1f2e.dump`: sorts by time, is nobody else's, and needs no quotes. */
function newName(database: string, isEncrypted: boolean): string {
  const word = database
    .replace(/[^\w.-]+/g, "_")
    .replace(/^[.-]+/, "_")
    .slice(0, 60);
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  return `${word}-${time}-${randomBytes(2).toString("hex")}.dump${isEncrypted ? ".age" : ""}`;
}

function describe(plan: Plan, settings: Settings): string {
  const { programs, compression, recipients, to, directory } = plan;
  const places = {
    file: `to ${directory}`,
    command: `to the command ${settings["backup-sink"]}`,
    artifact: "to an artifact of the workflow",
  };
  const secrecy =
    recipients.length === 0
      ? "not encrypted"
      : `encrypted to ${recipients.length} age ${recipients.length === 1 ? "key" : "keys"}`;
  return `pg_dump ${programs.version} (${compression}), ${secrecy}, ${places[to]}`;
}

async function take(request: BackupRequest, plan: Plan): Promise<BackupReport> {
  const { directory, name, to, recipients } = plan;
  const start = performance.now();
  const folder = await createPartialFolder(directory, name);
  let store: Store | undefined;
  try {
    const tables = await tableSizes(request.client);
    const started = new Date();
    store = await openStore(request, plan, folder);
    const dumped = await dump({
      programs: plan.programs,
      compression: plan.compression,
      address: request.address,
      env: await environmentFor(request, folder),
      store,
      encryption: recipients.length === 0 ? undefined : await ageEncryption(recipients),
      progress: progressOf(request, tables),
    });
    const manifest = manifestOf(request, plan, { tables, started, ...dumped });
    await writeFile(join(folder.path, manifestName(name)), `${JSON.stringify(manifest, null, 2)}\n`, {
      mode: 0o600,
    });
    const kept = await publish(request, plan, folder);
    return {
      kind: "dump",
      because: undefined,
      ...kept,
      sha256: dumped.sha256,
      bytes: dumped.bytes,
      encrypted: recipients.length > 0,
      milliseconds: Math.round(performance.now() - start),
      restore: restoreCommand(to === "file" ? join(directory, name) : name, recipients.length > 0),
    };
  } finally {
    await folder.remove();
  }
}

async function openStore(
  { settings, environment }: BackupRequest,
  plan: Plan,
  folder: PartialFolder,
): Promise<Store> {
  if (plan.to !== "command") return fileStore(folder.path, plan.name);
  return sinkStore(sinkWords(settings["backup-sink"] ?? "", plan.name, environment), environment);
}

/** The file first, then its manifest: a backup is whole without one, and a manifest without a backup would be a lie. */
async function publish(
  { uploadArtifact, settings, address }: BackupRequest,
  { to, name }: Plan,
  folder: PartialFolder,
): Promise<{ location: string; manifest: string | undefined }> {
  if (to === "artifact" && uploadArtifact !== undefined) {
    const files = [name, manifestName(name)].map((file) => join(folder.path, file));
    await uploadArtifact(name, files);
    return { location: name, manifest: manifestName(name) };
  }
  const location =
    to === "file" ? await folder.publish(name) : redact(settings["backup-sink"] ?? "", address);
  return {
    location: location.replaceAll("{name}", name),
    manifest: await folder.publish(manifestName(name)),
  };
}

async function environmentFor(
  { address, environment }: BackupRequest,
  folder: PartialFolder,
): Promise<Record<string, string>> {
  const applicationName = "migration-gate backup";
  if (!needsAuthorities(address)) return libpqEnvironment(address, { applicationName });
  const authorityFile = join(folder.path, "authorities.pem");
  await writeFile(authorityFile, authorities(environment), { mode: 0o600 });
  return libpqEnvironment(address, { applicationName, authorityFile });
}

/** At most twice a second. */
function progressOf(
  { progress }: BackupRequest,
  tables: readonly TableSize[],
): (bytes: number, table: string) => void {
  const rows = new Map(tables.map((each) => [`${each.schema}.${each.table}`, each.rows]));
  let last = 0;
  return (bytes, table) => {
    const now = performance.now();
    if (now - last < 500) return;
    last = now;
    const count = rows.get(table);
    const known = count === undefined || count === null ? "" : ` (about ${count.toLocaleString("en")} rows)`;
    progress(`Backup: ${(bytes / 1e6).toFixed(1)} MB${table === "" ? "" : `, ${table}${known}`}`);
  };
}

function manifestOf(
  { address, heads, pending, settings }: BackupRequest,
  { name, to, recipients, programs, server, compression, warnings, directory }: Plan,
  done: { tables: readonly TableSize[]; started: Date; bytes: number; sha256: string },
): Manifest {
  const locations = {
    file: directory,
    command: redact(settings["backup-sink"] ?? "", address),
    artifact: name,
  };
  return {
    version: 1,
    file: name,
    storedBy: { kind: to, location: locations[to].replaceAll("{name}", name) },
    bytes: done.bytes,
    sha256: done.sha256,
    format: "custom",
    compression,
    encryption: recipients.length === 0 ? null : { kind: "age", recipients },
    pgDump: programs.version,
    serverVersion: server.number,
    database: { name: address.database, host: address.host, port: address.port },
    started: done.started.toISOString(),
    finished: new Date().toISOString(),
    revisions: { before: heads, pending },
    tables: done.tables,
    verified: [
      "pg_dump, the check and the store ended without an error",
      `pg_restore ${programs.version} read the whole dump while it was written`,
    ],
    warnings,
    restore: restoreCommand(name, recipients.length > 0),
  };
}
