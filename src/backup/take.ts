import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { redact } from "../databases/postgres/connection";
import type { BackupReport } from "../model/deployment";
import type { Settings } from "../settings";
import { ageEncryption } from "./age";
import { dump } from "./dump";
import { authorities, libpqEnvironment, needsAuthorities } from "./libpq";
import { type Manifest, manifestName, restoreCommand } from "./manifest";
import { createPartialFolder, type PartialFolder } from "./partial-folder";
import type { Programs } from "./programs";
import type { BackupRequest } from "./request";
import { fileStore, notWritten, type Store, sinkStore, sinkWords } from "./store";
import { type TableSize, tableSizes } from "./tables";

/** What a backup is taken with, all of it found and tried. */
export interface BackupPlan {
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

/** Dumps the database, checks the dump while it is written, and keeps it as the plan says. */
export async function takeBackup(request: BackupRequest, plan: BackupPlan): Promise<BackupReport> {
  const { directory, name, to, recipients } = plan;
  const start = performance.now();
  const folder = await createPartialFolder(directory, name);
  try {
    const tables = await tableSizes(request.client);
    const started = new Date();
    const env = await environmentFor(request, folder);
    const encryption = recipients.length === 0 ? undefined : await ageEncryption(recipients);
    const dumped = await dump({
      programs: plan.programs,
      compression: plan.compression,
      address: request.address,
      env,
      store: await openStore(request, plan, folder),
      encryption,
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
  } catch (error) {
    throw error instanceof Error && isOfFileSystem(error) ? notWritten(directory, error) : error;
  } finally {
    await folder.remove();
  }
}

/** What the manifest and the renaming may meet. */
function isOfFileSystem(error: Error): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG", "EACCES", "EPERM", "EROFS", "EIO", "ENOENT"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );
}

async function openStore(
  { settings, environment }: BackupRequest,
  plan: BackupPlan,
  folder: PartialFolder,
): Promise<Store> {
  if (plan.to !== "command") return fileStore(folder.path, plan.name);
  return sinkStore(sinkWords(settings["backup-sink"] ?? "", plan.name, environment), environment);
}

/** The file first, then its manifest: a backup is whole without one, and a manifest without a backup would be a lie. */
async function publish(
  { uploadArtifact, settings, address }: BackupRequest,
  { to, name }: BackupPlan,
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
  { name, to, recipients, programs, server, compression, warnings, directory }: BackupPlan,
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
