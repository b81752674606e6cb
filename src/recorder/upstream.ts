import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { tlsRequest } from "./startup";

/** Where the shadow database listens. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly tls: tls.ConnectionOptions | undefined;
}

/** A socket that is connected or about to be; it has a listener for errors. */
export function connectPlain(upstream: Upstream): net.Socket {
  const socket = upstream.socket
    ? net.connect(upstream.socket)
    : net.connect({ host: upstream.host, port: upstream.port });
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  return socket;
}

/** A connection on which the startup packet can be sent. */
export async function connectUpstream(upstream: Upstream): Promise<net.Socket> {
  const plain = connectPlain(upstream);
  try {
    await once(plain, "connect");
    if (upstream.tls === undefined) return plain;
    plain.write(tlsRequest);
    const [answer] = (await Promise.race([
      once(plain, "data"),
      once(plain, "close").then(() => Promise.reject(new Error("it closed the connection"))),
    ])) as [Buffer];
    if (answer.toString("latin1") !== "S") throw new Error("it refused TLS");
    const secure = tls.connect({ ...upstream.tls, socket: plain });
    await once(secure, "secureConnect");
    secure.on("error", () => undefined);
    return secure;
  } catch (error) {
    plain.destroy();
    throw error;
  }
}
