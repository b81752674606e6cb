/**
 * The program of the process that holds the network namespace, run as `node -e` inside it. It brings the loopback
 * interface up, listens there and passes the listening sockets to the gate, hides Unix sockets, and ends with the gate.
 * A string, because the gate is one bundled file.
 *
 * Messages to it: {id, type: "listen"} and {id, type: "hide", paths}. From it: {type: "ready", loopback} once, then
 * {id, port} with the server, {id, failed} with the sockets that could not be hidden, or {id, error}.
 */
export const holderProgram = `
const { spawnSync } = require("node:child_process");
const { statSync } = require("node:fs");
const net = require("node:net");
process.on("disconnect", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

const run = (command, ...args) => spawnSync(command, args, { stdio: "ignore", timeout: 5000 }).status === 0;
// SIOCSIFFLAGS (0x8914) with IFF_UP | IFF_LOOPBACK | IFF_RUNNING, for images that have no ip and no ifconfig.
const loopback =
  run("ip", "link", "set", "lo", "up") ||
  run("ifconfig", "lo", "up") ||
  run("perl", "-e", 'socket(S,2,2,0) and ioctl(S,0x8914,my $r=pack("a16 s x22","lo",0x49)) or exit 1') ||
  run("python3", "-c", 'import fcntl,socket,struct;fcntl.ioctl(socket.socket(2,2),0x8914,struct.pack("16sH22x",b"lo",0x49))');

// Once /dev/null is mounted over it, it is no socket any more; a server that starts again brings a new one.
const isSocket = (path) => {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
};
const hide = (paths) =>
  paths.filter((path) => isSocket(path) && !run("mount", "--bind", "/dev/null", path) && isSocket(path));

const listen = (id) => {
  const server = net.createServer();
  server.on("error", (error) => process.send({ id, error: error.message }));
  server.listen({ host: "127.0.0.1", port: 0, backlog: 511 }, () =>
    process.send({ id, port: server.address().port }, server, () => server.close()),
  );
};

process.on("message", ({ id, type, paths }) => {
  if (type === "listen") listen(id);
  else process.send({ id, failed: hide(paths) });
});
process.send({ type: "ready", loopback });
`;
