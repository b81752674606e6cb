import { once } from "node:events";
import net from "node:net";
import { createNetworkNamespace, type NetworkNamespace } from "./network-namespace";

/** A server that the tool can reach, on 127.0.0.1; add a "connection" listener before the tool starts. */
export interface Listener {
  readonly server: net.Server;
  readonly port: number;
}

/** What a tool can reach. One for a run; any number of tools and listeners. */
interface Reach extends AsyncDisposable {
  /** Variables that a tool needs there beside its own. */
  readonly environment: Readonly<Record<string, string>>;
  listen(): Promise<Listener>;
  /** To be awaited before each start of a tool. */
  prepare(): Promise<void>;
  /** The command that runs `argv` there, in folder `cwd`; the first of `argv` is an absolute path. */
  wrap(argv: readonly string[], cwd: string): string[];
}

/** The tool reaches the listeners and nothing else: no other server, no Unix socket of one, no name service. */
export interface IsolatedReach extends Reach {
  readonly kind: "network namespace";
}

/** The tool reaches whatever the gate reaches; `reason` says in one line why. */
export interface OpenReach extends Reach {
  readonly kind: "none";
  readonly reason: string;
}

export type Isolation = IsolatedReach | OpenReach;

/**
 * Isolation where the system allows it (Linux; root with CAP_SYS_ADMIN, or unprivileged user namespaces), else kind
 * "none" within 20 s. Needs unshare and nsenter of util-linux 2.36 or later.
 */
export async function createIsolation(): Promise<Isolation> {
  const namespace = await createNetworkNamespace();
  return typeof namespace === "string" ? openReach(namespace) : isolatedReach(namespace);
}

/** No isolation, for `reason`: where a setting says so, or a tool runs elsewhere. */
export function openReach(reason: string): OpenReach {
  return {
    kind: "none",
    reason,
    environment: {},
    async listen() {
      const server = net.createServer();
      server.listen({ host: "127.0.0.1", port: 0 });
      await once(server, "listening");
      return { server, port: (server.address() as net.AddressInfo).port };
    },
    prepare: () => Promise.resolve(),
    wrap: (argv) => [...argv],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Package managers that would ask their index before they run a command that is installed already. */
const isolationEnvironment = {
  UV_OFFLINE: "1",
  UV_NO_SYNC: "1",
  CARGO_NET_OFFLINE: "true",
  npm_config_offline: "true",
} as const;

function isolatedReach(namespace: NetworkNamespace): IsolatedReach {
  return {
    kind: "network namespace",
    environment: isolationEnvironment,
    listen: () => namespace.listen(),
    prepare: () => namespace.hideServers(),
    wrap: (argv, cwd) => namespace.wrap(argv, cwd),
    [Symbol.asyncDispose]: () => namespace.end(),
  };
}
