import { type Restored, restore as restoreBackup } from "../backup/restore";
import { type Address, parseAddress } from "../databases/postgres/connection";
import { recordOf, requireRecordDirectory, writeRecord } from "../deploy/record";
import { bugParts, UserError } from "../errors";
import type { Settings } from "../settings";

export interface RestoreContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  progress(text: string): void;
  notice(text: string): void;
  /** Asks whether to write; throws where the answer is no. */
  confirm(question: string): Promise<void>;
  /** Takes secrets out of what is recorded. */
  redact<Value>(value: Value): Value;
}

/** The JSON of `restore`. */
export interface RestoreReport extends Restored {
  readonly version: 1;
  readonly milliseconds: number;
  /** The record's path. */
  readonly record: string;
}

/** Restores a backup into the database that the settings name. Every try leaves a record, also one that fails. */
export async function restore(context: RestoreContext): Promise<RestoreReport> {
  const { settings, environment, progress, notice, confirm } = context;
  const file = settings["restore-from"];
  if (file === undefined) {
    throw new UserError({
      what: "No backup is named.",
      do: "Name its file: migration-gate restore prod.dump --to-env RESTORE_URL",
    });
  }
  const address = targetAddress(settings, environment);
  const directory = settings["record-directory"];
  requireRecordDirectory(directory);
  const started = new Date();
  const record = (outcome: object): string => {
    const finished = new Date();
    const { host, port, database, user } = address;
    const facts = {
      version: 1,
      kind: "restore",
      started: started.toISOString(),
      finished: finished.toISOString(),
      file,
      replace: settings.replace,
      target: { host, port, database, user },
      ...outcome,
    };
    return writeRecord(directory, "restore", context.redact(recordOf(facts, environment)));
  };
  let restored: Restored;
  try {
    restored = await restoreBackup({
      file,
      identityFile: settings["identity-file"],
      address,
      replace: settings.replace,
      pgDump: settings["pg-dump"],
      pgDumpImage: settings["pg-dump-image"],
      environment,
      progress,
      notice,
      confirm,
    });
  } catch (error) {
    record({ outcome: "failed", error: error instanceof UserError ? error.parts : bugParts(error) });
    throw error;
  }
  const milliseconds = Date.now() - started.getTime();
  return { version: 1, ...restored, milliseconds, record: record({ outcome: "restored", ...restored }) };
}

/** On purpose not the setting database-url: a restore must not reach production because a variable is set. */
function targetAddress(settings: Settings, environment: NodeJS.ProcessEnv): Address {
  const variable = settings["to-env"];
  if (variable === undefined) {
    throw new UserError({
      what: "The database to restore into is not named.",
      why: "A restore writes, so that its target is never guessed.",
      do: "Put its address into a variable and name that: --to-env RESTORE_URL",
    });
  }
  const url = environment[variable];
  if (url !== undefined && url !== "") return parseAddress(url, variable);
  throw new UserError({
    what: `The variable ${variable} is not set.`,
    where: "to-env",
    do: `Put the address of the database to restore into into ${variable}, e.g. postgresql://user:password@host:5432/database`,
  });
}
