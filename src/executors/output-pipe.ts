import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A pair of sockets: what is written to one end is read at the other. */
export interface OutputPipe {
  readonly reader: net.Socket;
  readonly writer: net.Socket;
}

/**
 * One end to be a command's stdout and stderr alike, so that its lines stay in the order in which they were written;
 * two pipes of spawn lose it, and a shell's `2>&1` would drop variables whose names it does not like.
 */
export async function createOutputPipe(): Promise<OutputPipe> {
  const folder = await mkdtemp(join(tmpdir(), "migration-gate-output-"));
  const server = net.createServer();
  try {
    const path = join(folder, "output");
    server.listen(path);
    await once(server, "listening");
    const accepted = once(server, "connection");
    const writer = net.connect(path);
    await once(writer, "connect");
    const [reader] = (await accepted) as [net.Socket];
    return { reader, writer };
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
