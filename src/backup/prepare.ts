import { randomBytes } from "node:crypto";
import { UserError } from "../errors";
import type { BackupReport } from "../model/deployment";
import type { Settings } from "../settings";
import { checkRecipients } from "./age";
import { requireSameServer } from "./image-programs";
import { removeLeftBackups, requireBackupDirectory } from "./partial-folder";
import { compressionOf, findPrograms } from "./programs";
import type { BackupRequest, PreparedBackup } from "./request";
import { sinkWords } from "./store";
import { type BackupPlan, takeBackup } from "./take";

/**
 * Refuses what can be refused before anything is touched: settings, programs, keys, the folder, the command. Removes
 * what backups of killed runs left in the folder.
 */
export async function prepareBackup(request: BackupRequest): Promise<PreparedBackup> {
  const { settings, environment, address, client, progress } = request;
  const notice = (text: string) => (request.notice ?? progress)(text);
  if (settings.backup === "none") return noBackup(settings["backup-because"]);
  const recipients = settings["backup-recipient"] ?? [];
  await checkRecipients(recipients);
  checkSettings(request, recipients);
  const server = await serverOf(request);
  const programs = await findPrograms(server.major, {
    setting: settings["pg-dump"],
    image: settings["pg-dump-image"],
    host: address.host,
    environment,
    progress: notice,
  });
  await requireSameServer({ programs, address, environment, client });
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
  const plan: BackupPlan = {
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
  return { description: describe(plan, settings), take: () => takeBackup(request, plan) };
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

async function serverOf({ client }: BackupRequest): Promise<BackupPlan["server"]> {
  const { rows } = await client.query<{ number: number; version: string }>(
    "select pg_catalog.current_setting('server_version_num')::int as number, pg_catalog.current_setting('server_version') as version",
  );
  const { number, version } = rows[0] ?? { number: 0, version: "" };
  return { number, major: Math.floor(number / 10_000), version: version.split(" ")[0] ?? version };
}

/** `boards-20261121T234000512Z-1f2e.dump`: sorts by time, is nobody else's, and needs no quotes. */
function newName(database: string, isEncrypted: boolean): string {
  const word = database
    .replace(/[^\w.-]+/g, "_")
    .replace(/^[.-]+/, "_")
    .slice(0, 60);
  const time = new Date().toISOString().replace(/[-:.]/g, "");
  return `${word}-${time}-${randomBytes(2).toString("hex")}.dump${isEncrypted ? ".age" : ""}`;
}

function describe(plan: BackupPlan, settings: Settings): string {
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
  const of = programs.image === undefined ? "" : ` of the image ${programs.image}`;
  return `pg_dump ${programs.version}${of} (${compression}), ${secrecy}, ${places[to]}`;
}
