import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { runProgram, serverAccount, serverEnvironment } from "../../src/shadow/account";
import { findInstallations } from "../../src/shadow/installed";

/** A server with settings that a shadow has not, and that may be killed. Trusts everybody. */
export interface OwnServer extends AsyncDisposable {
  readonly address: Address;
  readonly process: ChildProcess;
}

export async function ownServer(settings: Readonly<Record<string, string>>): Promise<OwnServer> {
  const account = serverAccount();
  const [installation] = await findInstallations(account);
  if (installation === undefined) throw new Error("no initdb and postgres found");
  const home = await mkdtemp(join(tmpdir(), "recorder-"));
  await chmod(home, 0o755);
  const data = join(home, "data");
  await mkdir(data);
  if (account !== undefined) await chown(data, account.uid, account.gid);
  const made = await runProgram(
    join(installation.bin, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"],
    { account, cwd: data },
  );
  if (!made.ok) throw new Error(made.stderr);
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  const all = { fsync: "off", listen_addresses: "127.0.0.1", unix_socket_directories: "", ...settings };
  const server = spawn(
    join(installation.bin, "postgres"),
    [
      "-D",
      data,
      "-p",
      String(port),
      ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    { ...(account ?? {}), env: serverEnvironment(), cwd: data, stdio: "ignore" },
  );
  const ended = once(server, "exit");
  const address: Address = {
    name: "test",
    host: "127.0.0.1",
    port,
    user: "postgres",
    password: undefined,
    database: "postgres",
    sslmode: "disable",
  };
  for (const end = Date.now() + 30_000; ; await sleep(20)) {
    try {
      await (await connect(address)).end();
      break;
    } catch (error) {
      if (Date.now() > end || server.exitCode !== null) throw error;
    }
  }
  return {
    address,
    process: server,
    async [Symbol.asyncDispose]() {
      server.kill("SIGINT");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}
