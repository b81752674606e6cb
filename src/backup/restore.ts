import type { Client } from "pg";
import { type Address, connect } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { requireSameServer } from "./image-programs";
import { libpqEnvironment } from "./libpq";
import { loadBackup, verifyBackup } from "./load";
import { findPrograms, namedPrograms, type Programs, programsOfMajor, remedyFor } from "./programs";
import { createReplacement, wayBack } from "./replacement";
import { openBackup, type StoredBackup } from "./stored-backup";
import { readTarget, requireRestorable, type Target } from "./target";
import { tlsFiles } from "./tls-files";

export interface RestoreRequest {
  readonly file: string;
  readonly identityFile: string | undefined;
  readonly address: Address;
  readonly replace: boolean;
  /** The settings pg-dump and pg-dump-image. */
  readonly pgDump: string | undefined;
  readonly pgDumpImage: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** One line that the next one may write over. */
  progress(text: string): void;
  /** What is worth a line of the log. */
  notice(text: string): void;
  /** Asked once, when all was checked and before the first write; throws where the answer is no. */
  confirm(question: string): Promise<void>;
}

export interface Restored {
  readonly file: string;
  readonly sha256: string;
  /** False where there was none beside the file: then only its own structure was checked. */
  readonly hasManifest: boolean;
  readonly encrypted: boolean;
  readonly target: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  };
  /** The database that was there before, and the SQL lines that bring it back, or drop it. */
  readonly replaced: { readonly kept: string; readonly back: string; readonly drop: string } | undefined;
  readonly warnings: readonly string[];
}

/**
 * Restores a backup: everything that can be refused is refused before the first write, and a failure leaves the target as
 * it was. A UserError for both.
 */
export async function restore(request: RestoreRequest): Promise<Restored> {
  const { address, environment, progress } = request;
  const backup = await openBackup(request.file, request.identityFile);
  const target = await withClient(address, (client) => readTarget(client, address));
  requireRestorable(target, request.replace);
  const programs = await programsFor(backup, target, request);
  if (programs.image !== undefined)
    await withClient(address, (client) => requireSameServer({ programs, address, environment, client }));
  progress("Reading the backup to its end.");
  const sha256 = await verifyBackup(backup, programs);
  await request.confirm(question(backup, target, request));
  const tls = await tlsFiles(address, environment);
  try {
    const written = request.replace
      ? await replace(backup, target, programs, request, tls.file)
      : await fill(backup, target, programs, request, tls.file);
    return {
      file: backup.path,
      sha256,
      hasManifest: backup.manifest !== undefined,
      encrypted: backup.encrypted,
      target: { host: address.host, port: address.port, database: address.database, user: address.user },
      ...written,
    };
  } finally {
    await tls.remove();
  }
}

type Written = Pick<Restored, "replaced" | "warnings">;

async function fill(
  backup: StoredBackup,
  target: Target,
  programs: Programs,
  request: RestoreRequest,
  authorityFile: string | undefined,
): Promise<Written> {
  await load(backup, target, programs, request, request.address, authorityFile);
  // It is committed: what fails from here on is told, and changes nothing.
  const warnings = await withClient(request.address, (client) => afterwards(client, backup, request)).catch(
    (error: Error) => [`What was restored could not be looked at: ${error.message}`],
  );
  return { replaced: undefined, warnings };
}

async function replace(
  backup: StoredBackup,
  target: Target,
  programs: Programs,
  request: RestoreRequest,
  authorityFile: string | undefined,
): Promise<Written> {
  const replacement = await createReplacement(request.address, request.notice);
  try {
    await load(backup, target, programs, request, replacement.address, authorityFile);
    const warnings = await withClient(replacement.address, (client) => afterwards(client, backup, request));
    request.progress("Renaming the two databases.");
    const kept = await replacement.swap();
    const [back = "", drop = ""] = wayBack(request.address.database, kept);
    return { replaced: { kept, back, drop }, warnings: [...replacement.warnings, ...warnings] };
  } catch (error) {
    await replacement.drop().catch(() => undefined);
    throw error;
  }
}

function load(
  backup: StoredBackup,
  target: Target,
  programs: Programs,
  { progress, replace: isReplaced }: RestoreRequest,
  address: Address,
  authorityFile: string | undefined,
): Promise<void> {
  let last = 0;
  return loadBackup(backup, {
    programs,
    address,
    env: libpqEnvironment(address, { applicationName: "migration-gate restore", authorityFile }),
    serverMajor: target.major,
    oneTransaction: !isReplaced,
    progress(bytes) {
      if (performance.now() - last < 500) return;
      last = performance.now();
      progress(`Restoring: ${(bytes / 1e6).toFixed(1)} MB`);
    },
  });
}

/** What a restore must have made, and the statistics that no dump has: without them, queries are planned blindly. */
async function afterwards(
  client: Client,
  backup: StoredBackup,
  { progress }: RestoreRequest,
): Promise<string[]> {
  const expected = backup.manifest?.tables ?? [];
  const { rows } = await client.query<{ name: string }>(
    `select w.schema || '.' || w.name as name from unnest($1::text[], $2::text[]) as w(schema, name)
      where not exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                         where n.nspname = w.schema and c.relname = w.name)`,
    [expected.map(({ schema }) => schema), expected.map(({ table }) => table)],
  );
  const warnings = rows.map(
    ({ name }) =>
      `The table ${name} of the manifest was not in the backup: it was dropped while the backup began.`,
  );
  progress("Collecting statistics (ANALYZE).");
  await client.query("set client_min_messages = error; analyze").catch((error: Error) => {
    warnings.push(`ANALYZE failed, queries may be slow until it is run: ${error.message}`);
  });
  return warnings;
}

/** Of the target's major, or the first that reads the archive: a newer pg_restore says what an older server does not know. */
async function programsFor(backup: StoredBackup, target: Target, request: RestoreRequest): Promise<Programs> {
  const { environment, notice, pgDump: setting, pgDumpImage: image } = request;
  const oldest = backup.archive?.readableFrom ?? 14;
  const search = { setting, image, host: request.address.host, environment, progress: notice };
  const named = await namedPrograms(search);
  if (named !== undefined) {
    const { programs, name, where } = named;
    if (programs.major >= oldest) return programs;
    throw new UserError({
      what: `pg_restore ${programs.version} cannot read this backup, which pg_dump ${backup.archive?.pgDump} made.`,
      where,
      do: `Set ${name} to ${remedyFor(name, oldest)}, or leave it out.`,
    });
  }
  const wanted = Math.max(oldest, target.major);
  try {
    return await programsOfMajor(wanted, search);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return await findPrograms(wanted, search).catch(() => Promise.reject(error));
  }
}

function question(backup: StoredBackup, target: Target, { replace: isReplaced }: RestoreRequest): string {
  const { address, sessions, version } = target;
  const { archive, manifest, path } = backup;
  const from =
    manifest !== undefined
      ? `of ${manifest.database.name}, ${manifest.started}`
      : archive === undefined
        ? "a plain SQL dump"
        : `of ${archive.database}, PostgreSQL ${archive.server}`;
  const where = `"${address.database}" on ${address.host}:${address.port} (PostgreSQL ${version})`;
  if (!isReplaced) return `Restore ${path} (${from}) into the empty database ${where}?`;
  const ended = sessions.length === 0 ? "" : ` These sessions are ended: ${sessions.join("; ")}.`;
  return `Replace the database ${where} by ${path} (${from})? The old one is kept under another name.${ended}`;
}

async function withClient<Result>(
  address: Address,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(address, { applicationName: "migration-gate restore" });
  try {
    return await use(client);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (error instanceof UserError || !(error instanceof Error) || !/^[0-9A-Z]{5}$/.test(code)) throw error;
    throw new UserError(
      {
        what: "The server refused a question about the database.",
        where: `${address.name}: ${address.host}:${address.port}, database "${address.database}", user "${address.user}"`,
        seen: `${error.message} (${code})`,
        why: "The database is as it was.",
        do: "Mend what the server says, and run again.",
      },
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
