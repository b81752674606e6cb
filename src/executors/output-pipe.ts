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

/** A place for the writing end of a pair, to which one process connects by itself. */
export interface OutputPlace extends AsyncDisposable {
  /** Of a Unix socket; it is gone once the place is disposed of, and what was accepted stays. */
  readonly path: string;
  readonly reader: Promise<net.Socket>;
}

/**
 * One end to be a command's stdout and stderr alike, so that its lines stay in the order in which they were written;
 * two pipes of spawn lose it, and a shell's `2>&1` would drop variables whose names it does not like.
 */
export async function createOutputPipe(): Promise<OutputPipe> {
  await using place = await openOutputPlace();
  const writer = net.connect(place.path);
  await once(writer, "connect");
  writer.on("error", () => undefined);
  return { reader: await place.reader, writer };
}

export async function openOutputPlace(): Promise<OutputPlace> {
  const folder = await mkdtemp(join(tmpdir(), "migration-gate-output-"));
  const server = net.createServer();
  const close = async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const path = join(folder, "output");
    server.listen(path);
    await once(server, "listening");
    const reader = once(server, "connection").then(([accepted]) => {
      const socket = accepted as net.Socket;
      // A process that is killed before it has read what it was sent resets it; nobody else may be listening yet.
      socket.on("error", () => undefined);
      return socket;
    });
    return { path, reader, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
