import { once } from "node:events";
import net from "node:net";
import { loadModule } from "libpg-query";
import type { Client } from "pg";
import { type Address, connect } from "../../src/databases/postgres/connection";
import { Recorder, type RecorderOptions } from "../../src/recorder/recorder";
import { versionsSql, versionWrites } from "../../src/tools/alembic/version-table";

export const protocol = { versionWrites, versionsSql };

/** A recorder in front of one database, on a port of its own. */
export interface Recorded extends AsyncDisposable {
  readonly recorder: Recorder;
  readonly port: number;
  /** The database's address by way of the recorder. */
  readonly address: Address;
  readonly direct: Address;
  /** A client by way of the recorder. */
  client(change?: Partial<Address>): Promise<Client>;
  /** A client past the recorder. */
  observer(): Promise<Client>;
}

export async function record(
  address: Address,
  options: Partial<Omit<RecorderOptions, "database" | "protocol">> = {},
): Promise<Recorded> {
  await loadModule();
  const recorder = new Recorder({
    upstream: { host: address.host, port: address.port, socket: undefined, tls: undefined },
    database: address.database,
    protocol,
    ...options,
  });
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  recorder.accept(server);
  const port = (server.address() as net.AddressInfo).port;
  const through = { ...address, host: "127.0.0.1", port };
  const clients: Client[] = [];
  const open = async (to: Address) => {
    const client = await connect(to);
    clients.push(client);
    return client;
  };
  return {
    recorder,
    port,
    address: through,
    direct: address,
    client: (change = {}) => open({ ...through, ...change }),
    observer: () => open(address),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      recorder.stop();
    },
  };
}
