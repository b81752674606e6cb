import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, escapeIdentifier } from "pg";
import { type Address, connect } from "../databases/postgres/connection";
import { UserError } from "../errors";
import { haltIfEnding, registerCleanup } from "../shadow/cleanup";
import { isAbandoned, parseOwner, stateOf, thisOwner } from "../shadow/owner";
import { commentLike, copySettings, createLike } from "./database-properties";

/** A new database beside the one that it is to replace. */
export interface Replacement {
  readonly address: Address;
  /** What could not be copied from the old one. */
  readonly warnings: readonly string[];
  /** Gives the two their new names in one transaction; sessions of the old one are ended. Returns the old one's name. */
  swap(): Promise<string>;
  /** Drops the new one; nothing where it has taken the name already. */
  drop(): Promise<void>;
}

const mark = "_restore_";
/** NAMEDATALEN of every packaged PostgreSQL, minus its end. */
const longestName = 63;

/** Makes the new database, after those are dropped that restores left whose process was killed. */
export async function createReplacement(
  address: Address,
  progress: (text: string) => void,
): Promise<Replacement> {
  await haltIfEnding();
  const admin = await connectBeside(address);
  const time = new Date().toISOString().replace(/[-:T]|\..*/g, "");
  const name = nameBeside(address.database, `${mark}${time}_${randomBytes(3).toString("hex")}`);
  const run = (statement: string) => admin.query(statement);
  let isNew = false;
  const dropOnce = async () => {
    try {
      if (isNew) await dropDatabase(address, name);
    } finally {
      unregister();
      await admin.end().catch(() => undefined);
    }
  };
  // A signal and the failure that it causes ask for it at the same time: both wait for the one.
  let dropping: Promise<void> | undefined;
  const drop = () => {
    dropping ??= dropOnce();
    return dropping;
  };
  // Without an event loop there is no connection: the next restore finds the database by its comment.
  const unregister = registerCleanup({ run: drop, runNow: () => undefined });
  try {
    await dropLeftovers(admin, address, progress);
    // From here on it is ours to drop, also when a signal comes while the server makes it.
    isNew = true;
    await createLike(admin, address.database, name, JSON.stringify(thisOwner()));
    const warnings = await copySettings(admin, address.database, name);
    return {
      address: { ...address, database: name },
      warnings,
      drop,
      async swap() {
        const kept = nameBeside(address.database, `_before_${time}`);
        const comment = await commentLike(admin, address.database, address.database);
        await rename(admin, address, [
          `ALTER DATABASE ${escapeIdentifier(address.database)} RENAME TO ${escapeIdentifier(kept)}`,
          `ALTER DATABASE ${escapeIdentifier(name)} RENAME TO ${escapeIdentifier(address.database)}`,
          comment,
        ]);
        isNew = false;
        unregister();
        await run("select 1")
          .then(() => admin.end())
          .catch(() => undefined);
        return kept;
      },
    };
  } catch (error) {
    await drop().catch(() => undefined);
    throw fromServer(error, address, "The new database beside the old one could not be made.");
  }
}

/** The lines that undo a replacement, and the one that makes it final. */
export function wayBack(database: string, kept: string): string[] {
  const [now, old] = [escapeIdentifier(database), escapeIdentifier(kept)];
  const restored = escapeIdentifier(nameBeside(database, `_restored_${kept.slice(-14)}`));
  return [
    `BEGIN; ALTER DATABASE ${now} RENAME TO ${restored}; ALTER DATABASE ${old} RENAME TO ${now}; COMMIT;`,
    `DROP DATABASE ${old};`,
  ];
}

/** In one transaction. Renaming waits 5 s for a database without sessions, and lets no new one in meanwhile: they are ended. */
async function rename(admin: Client, address: Address, statements: readonly string[]): Promise<void> {
  const other = await connectBeside(address);
  let isDone = false;
  // The server's own sessions have no user, and make way by themselves. One that may not be ended is why the renaming
  // fails, and says more than that there are sessions.
  let refused: unknown;
  const endSessions = async () => {
    while (!isDone) {
      await other
        .query(
          `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
            where datname = $1 and pid <> pg_catalog.pg_backend_pid() and usesysid is not null`,
          [address.database],
        )
        .catch((error: unknown) => {
          refused = error;
        });
      await sleep(100);
    }
  };
  const ending = endSessions();
  try {
    await admin.query("begin");
    for (const statement of statements) await admin.query(statement);
    await admin.query("commit");
  } catch (error) {
    await admin.query("rollback").catch(() => undefined);
    throw fromServer(
      refused ?? error,
      address,
      "The two databases could not be renamed: sessions of the old one would not end.",
    );
  } finally {
    isDone = true;
    await ending;
    await other.end().catch(() => undefined);
  }
}

function nameBeside(database: string, ending: string): string {
  let base = database;
  while (Buffer.byteLength(base + ending) > longestName) base = [...base].slice(0, -1).join("");
  return base + ending;
}

/** A database cannot be renamed by a session of its own. */
async function connectBeside(address: Address): Promise<Client> {
  const names = ["postgres", "template1"].filter((name) => name !== address.database);
  let failure: unknown;
  for (const database of names) {
    try {
      return await connect({ ...address, database }, { applicationName: "migration-gate restore" });
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function dropDatabase(address: Address, name: string): Promise<void> {
  const client = await connectBeside(address);
  try {
    await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function dropLeftovers(
  admin: Client,
  address: Address,
  progress: (text: string) => void,
): Promise<void> {
  const { rows } = await admin.query<{ name: string; comment: string | null }>(
    `select d.datname::text as name, pg_catalog.shobj_description(d.oid, 'pg_database') as comment
       from pg_catalog.pg_database d where pg_catalog.strpos(d.datname, $1) > 0 and pg_catalog.pg_has_role(d.datdba, 'usage')`,
    [mark],
  );
  for (const { name, comment } of rows) {
    const owner = parseOwner(comment ?? "");
    if (owner === undefined || !/_restore_\d{14}_[0-9a-f]{6}$/.test(name)) continue;
    const state = stateOf(owner);
    if (state === "alive" || (state === "elsewhere" && !isAbandoned(new Date(owner.created)))) continue;
    await dropDatabase(address, name);
    progress(`Dropped the database "${name}", which a restore left that was killed.`);
  }
}

function fromServer(error: unknown, address: Address, what: string): UserError {
  if (error instanceof UserError) return error;
  return new UserError(
    {
      what,
      where: `${address.host}:${address.port}, database "${address.database}", user "${address.user}"`,
      seen: error instanceof Error ? error.message : String(error),
      why: "The database that was to be replaced is as it was.",
      do: "Mend what the server says, and run again.",
    },
    { cause: error },
  );
}
