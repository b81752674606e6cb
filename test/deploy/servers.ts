import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { runProgram, serverAccount, serverEnvironment } from "../../src/shadow/account";
import { findInstallations } from "../../src/shadow/installed";
import { programOf } from "../support/fresh-machine";

export interface OtherServer extends AsyncDisposable {
  readonly address: Address;
}

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  return port;
}

/** A program of this account that listens on the address' port, ended and its folder removed with the block. */
async function start(argv: readonly string[], home: string, address: Address): Promise<OtherServer> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, {
    ...(serverAccount() ?? {}),
    env: serverEnvironment(),
    cwd: home,
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  for (const end = Date.now() + 30_000; ; await sleep(20)) {
    try {
      await (await connect(address)).end();
      break;
    } catch (error) {
      if (Date.now() > end || child.exitCode !== null) throw error;
    }
  }
  return {
    address,
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function folder(): Promise<string> {
  const account = serverAccount();
  const home = await mkdtemp(join(tmpdir(), "preflight-"));
  await chmod(home, 0o755);
  const inside = join(home, "inside");
  await mkdir(inside);
  if (account !== undefined) await chown(inside, account.uid, account.gid);
  return inside;
}

/** A streaming replica of a server that trusts everybody, by pg_basebackup of the same installation. */
export async function replicaOf(primary: Address): Promise<OtherServer> {
  const account = serverAccount();
  const [installation] = await findInstallations(account);
  if (installation === undefined) throw new Error("no initdb and postgres found");
  const home = await folder();
  const data = join(home, "data");
  const made = await runProgram(
    programOf("pg_basebackup", installation.bin) ?? "pg_basebackup",
    [
      "-h",
      primary.host,
      "-p",
      String(primary.port),
      "-U",
      primary.user,
      "-D",
      data,
      "-R",
      "-c",
      "fast",
      "--no-sync",
    ],
    { account, cwd: home },
  );
  if (!made.ok) throw new Error(made.stderr);
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_prepared_transactions=10"];
  const argv = [join(installation.bin, "postgres"), "-D", data, "-p", String(port)];
  return start([...argv, ...settings.flatMap((setting) => ["-c", setting])], home, { ...primary, port });
}

/** The program, installed by apt where this is root's machine; without it the test fails and says what to install. */
async function pgbouncerProgram(): Promise<string> {
  const places = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  const find = () => places.map((place) => join(place, "pgbouncer")).find(existsSync);
  const found = find();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) {
    await runProgram("apt-get", ["update", "-qq"]);
    await runProgram("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "pgbouncer"]);
  }
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Error("pgbouncer is not there (Debian, Ubuntu: apt-get install pgbouncer)");
}

/** A real PgBouncer before a server that trusts everybody. */
export async function pgbouncer(server: Address, mode: "transaction" | "session"): Promise<OtherServer> {
  const program = await pgbouncerProgram();
  const home = await folder();
  const port = await freePort();
  const file = join(home, "pgbouncer.ini");
  await writeFile(
    file,
    `[databases]
* = host=${server.host} port=${server.port} user=${server.user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 1
ignore_startup_parameters = extra_float_digits,options
logfile = ${join(home, "log")}
`,
  );
  await chmod(file, 0o644);
  return start([program, file], home, { ...server, port });
}
