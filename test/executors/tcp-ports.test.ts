import { once } from "node:events";
import net from "node:net";
import { expect, test } from "vitest";
import { commandPorts } from "../../src/executors/families";
import { openReach } from "../../src/executors/isolation";
import { runCommand } from "../../src/executors/local";

/** Connects from a grandchild in a session of its own, from its child, and from this process; none but the first two count. */
test("ports of a command's connections to a server, and of nobody else's", async () => {
  const seen = new Map<net.Socket, number>();
  const server = net
    .createServer((socket) => seen.set(socket, socket.remotePort ?? 0))
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const other = net.createServer(() => undefined).listen(0, "127.0.0.1");
  await once(other, "listening");
  const otherPort = (other.address() as net.AddressInfo).port;
  const mine = net.connect(port, "127.0.0.1");
  await once(mine, "connect");
  const connecting = `require("net").connect(${port}, "127.0.0.1", () => console.log("connected")).on("error", () => {}); require("net").connect(${otherPort}, "127.0.0.1").on("error", () => {}); setTimeout(() => {}, 20000);`;
  const script = `${JSON.stringify(process.execPath)} -e '${connecting}' & setsid ${JSON.stringify(process.execPath)} -e '${connecting}' & wait`;
  let during: readonly number[] | undefined;
  let connected = 0;
  const both = new AbortController();
  expect(commandPorts(port)).toEqual([]);
  await runCommand({
    argv: ["/bin/sh", "-c", script],
    cwd: "/",
    env: { PATH: process.env.PATH ?? "" },
    timeoutMs: 30_000,
    isolation: openReach("a test"),
    abort: both.signal,
    onLine: () => {
      connected += 1;
      if (connected < 2) return;
      during = commandPorts(port);
      both.abort();
    },
  });
  const theirs = [...seen.values()].filter((each) => each !== mine.localPort).sort((one, two) => one - two);
  expect(theirs.length).toBe(2);
  expect([...(during ?? [])].sort((one, two) => one - two)).toEqual(theirs);
  expect(commandPorts(port)).toEqual([]);
  mine.destroy();
  for (const socket of seen.keys()) socket.destroy();
  server.close();
  other.close();
});
