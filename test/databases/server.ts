import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

/** A PostgreSQL server of this test file alone, stopped and removed at the end of the scope. */
export interface TestServer extends AsyncDisposable {
  readonly bin: string;
  readonly port: number;
  readonly major: number;
  /** A new database, and a connection to it that ends with the server. */
  database(name: string): Promise<pg.Client>;
  connect(database: string): Promise<pg.Client>;
  /** What `pg_dump --schema-only` prints without comments, blank lines and its random \restrict; undefined: no pg_dump. */
  dump(database: string): Promise<string | undefined>;
}

/** Where initdb and postgres are: MIGRATION_GATE_TEST_POSTGRES, else the newest that is installed. */
async function binaries(): Promise<string> {
  const given = process.env.MIGRATION_GATE_TEST_POSTGRES;
  if (given !== undefined) return given;
  const packaged = await readdir("/usr/lib/postgresql").catch(() => []);
  const newest = packaged
    .sort((a, b) => Number(b) - Number(a))
    .map((major) => `/usr/lib/postgresql/${major}/bin`);
  const found = [...newest, ...(process.env.PATH ?? "").split(delimiter)].find((bin) =>
    ["initdb", "postgres"].every((program) => existsSync(join(bin, program))),
  );
  if (found === undefined)
    throw new Error("no initdb and postgres found: set MIGRATION_GATE_TEST_POSTGRES to their folder");
  return found;
}

/** initdb refuses root: then the server runs as postgres, else as nobody. */
async function account(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ["postgres", "nobody"]) {
    const ids = await Promise.all(["-u", "-g"].map((flag) => run("id", [flag, user]))).catch(() => undefined);
    const [uid, gid] = ids?.map(({ stdout }) => Number(stdout)) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error("root needs a user postgres or nobody to run a server as");
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

export async function startServer(): Promise<TestServer> {
  const bin = await binaries();
  const user = await account();
  const home = await mkdtemp(join(tmpdir(), "catalog-"));
  const data = join(home, "data");
  await chmod(home, 0o755);
  await mkdir(data);
  if (user !== undefined) await chown(data, user.uid, user.gid);
  const env = { PATH: process.env.PATH, LC_ALL: "C.UTF-8", TZ: "UTC" };
  const initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
  await run(join(bin, "initdb"), initdb, { ...user, env, cwd: "/" });
  const port = await freePort();
  const settings = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=logical",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
  ];
  const server = spawn(
    join(bin, "postgres"),
    ["-D", data, "-p", String(port), ...settings.flatMap((s) => ["-c", s])],
    { ...user, env, cwd: "/", stdio: "ignore" },
  );
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const clients: pg.Client[] = [];

  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database });
    client.on("error", () => {});
    await client.connect();
    clients.push(client);
    return client;
  };
  const firstConnection = async (): Promise<pg.Client> => {
    for (let tries = 0; ; tries++) {
      try {
        return await connect("postgres");
      } catch (error) {
        if (tries === 600 || server.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };

  const admin = await firstConnection();
  const { rows } = await admin.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  );
  const major = Math.floor((rows[0]?.version ?? 0) / 10000);
  return {
    bin,
    port,
    major,
    connect,
    async database(name) {
      await admin.query(`create database ${pg.escapeIdentifier(name)} template template0`);
      return connect(name);
    },
    async dump(database) {
      const program = join(bin, "pg_dump");
      if (!existsSync(program)) return undefined;
      const args = ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "--schema-only", database];
      const { stdout } = await run(program, args, { env, maxBuffer: 1 << 28 });
      return stdout.replace(/^(--.*|\\(un)?restrict .*|)\n/gm, "");
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})));
      server.kill("SIGINT");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}
