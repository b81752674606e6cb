/**
 * A gate in small, bundled and run as another user by isolation.test.ts: `reach` tells as JSON what a tool can reach
 * with and without isolation; `hold` starts a stubborn command and ends it at SIGTERM, `exit` leaves it running and
 * exits; `idle` opens a namespace and has nothing else to do; `orphan` leaves a child behind.
 */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { terminateAll } from "../../src/executors/families";
import { createIsolation, type Isolation, openReach } from "../../src/executors/isolation";
import { runCommand } from "../../src/executors/local";

const env = { PATH: process.env.PATH ?? "" };

/** Runs as the tool: what it sees, and what answers at each address. */
const client = `
const net = require("node:net"), os = require("node:os"), dns = require("node:dns");
const attempt = (options) => new Promise((resolve) => {
  const socket = net.connect(options);
  socket.setTimeout(2000, () => { socket.destroy(); resolve("timeout"); });
  socket.on("data", (data) => { socket.destroy(); resolve(String(data)); });
  socket.on("error", (error) => resolve(error.code));
});
(async () => {
  const reached = {};
  for (const [name, options] of Object.entries(JSON.parse(process.argv[1]))) reached[name] = await attempt(options);
  const name = await new Promise((resolve) => dns.lookup("database.example", (error) => resolve(error ? "none" : "found")));
  const { uid, gid } = os.userInfo();
  console.log(JSON.stringify({ reached, name, uid, gid, cwd: process.cwd(), interfaces: Object.keys(os.networkInterfaces()) }));
})();
`;

async function serve(path?: string): Promise<net.Server> {
  const server = net.createServer((socket) => socket.end("outside"));
  if (path === undefined) server.listen({ host: "127.0.0.1", port: 0 });
  else server.listen(path);
  await once(server, "listening");
  return server;
}

async function tell(isolation: Isolation, folder: string, late: string): Promise<unknown> {
  const paths = [".s.PGSQL.5432", "mysqld.sock", "docker.sock"].map((name) => join(folder, name));
  const outside = await serve();
  const first = await isolation.listen();
  const second = await isolation.listen();
  for (const { server } of [first, second])
    server.on("connection", (socket) => socket.end(`recorder ${socket.remoteAddress}`));
  const servers = [outside, await serve(join(folder, late))];
  const targets = {
    recorder: { host: "127.0.0.1", port: first.port },
    "second recorder": { host: "localhost", port: second.port },
    "another server": { host: "127.0.0.1", port: (outside.address() as net.AddressInfo).port },
    ...Object.fromEntries(
      [...paths, join(folder, late)].map((path) => [path.slice(folder.length + 1), { path }]),
    ),
  };
  const argv = [process.execPath, "-e", client, JSON.stringify(targets)];
  const { output } = await runCommand({ argv, cwd: folder, env, timeoutMs: 30_000, isolation });
  for (const server of [...servers, first.server, second.server]) server.close();
  return JSON.parse(output);
}

async function reach(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "reach "));
  const early = [".s.PGSQL.5432", "mysqld.sock", "docker.sock"].map((name) => serve(join(folder, name)));
  try {
    const servers = await Promise.all(early);
    const start = performance.now();
    await using isolation = await createIsolation();
    const milliseconds = performance.now() - start;
    const told = {
      folder,
      kind: isolation.kind,
      reason: isolation.kind === "none" ? isolation.reason : "",
      milliseconds,
      isolated: await tell(isolation, folder, ".s.PGSQL.6000"),
      open: await tell(openReach("to compare"), folder, ".s.PGSQL.6001"),
    };
    for (const server of servers) server.close();
    console.log(JSON.stringify(told));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function hold(cleanUp: boolean): Promise<void> {
  const isolation = await createIsolation();
  if (cleanUp) process.once("SIGTERM", () => void terminateAll().then(() => process.exit(143)));
  const script =
    "trap '' TERM; (setsid sleep 301 >/dev/null 2>&1 &); echo started; while :; do sleep 0.05; done";
  await runCommand({
    argv: ["bash", "-c", script],
    cwd: "/",
    env,
    timeoutMs: 120_000,
    isolation,
    onLine: (line) => {
      console.log(`${line} ${isolation.kind}`);
      if (!cleanUp) process.exit(0);
    },
  });
}

/** Ends by itself: neither the namespace nor its listener's channel may keep the gate alive. */
async function idle(): Promise<void> {
  const isolation = await createIsolation();
  const { server } = await isolation.listen();
  server.close();
  console.log(isolation.kind);
}

/** A command whose child outlives it and becomes this process' to wait for, which Node does not. */
async function orphan(): Promise<void> {
  const start = performance.now();
  const argv = ["bash", "-c", "sleep 301 & exit 0"];
  await runCommand({ argv, cwd: "/", env, timeoutMs: 30_000, isolation: openReach("to compare") });
  const milliseconds = performance.now() - start;
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
  console.log(JSON.stringify({ zombies: children.length, milliseconds }));
}

const modes: Readonly<Record<string, () => Promise<void>>> = {
  reach,
  hold: () => hold(true),
  exit: () => hold(false),
  idle,
  orphan,
};
void modes[process.argv[2] ?? ""]?.();
