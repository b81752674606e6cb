import type { Address } from "../databases/postgres/connection";

export interface ShadowOptions {
  /** A server to use instead of a private one; the user needs CREATEDB. */
  readonly shadowUrl?: string;
  /** Only this kind of private server; without it the machine's programs come first. */
  readonly only?: "installed" | "embedded";
  /** The major version of the production server, where it is known. */
  readonly production?: number;
  /** Where a fetched PostgreSQL is kept. Default: see cacheDirectories. */
  readonly cacheDirectory?: string;
  /**
   * Asked with the server that would be started; the folder of a cluster that `keep` made with the same version, with which
   * the server starts then. A given server is never asked for.
   */
  keptCluster?(server: Pick<ShadowServer, "kind" | "version">): Promise<string | undefined>;
  /** One sentence on what takes long or what was left behind. */
  onProgress?(text: string): void;
}

/** A PostgreSQL server for throwaway databases. Disposing it leaves nothing behind. */
export interface ShadowServer extends AsyncDisposable {
  readonly kind: "given" | "installed" | "embedded";
  /** E.g. "17.2". */
  readonly version: string;
  readonly major: number;
  /** The maintenance database as superuser, or as the given user. */
  readonly address: Address;
  /** The path of its Unix socket, which costs half of what TCP does; undefined where there is none or it is not known. */
  readonly socket: string | undefined;
  /**
   * A new empty database, or a copy of `template`, to which nobody may be connected. `purpose` (a-z, 0-9, _) becomes
   * a part of its name.
   */
  createDatabase(purpose: string, template?: string): Promise<ShadowDatabase>;
  /**
   * Copies the whole cluster into a new folder `data` below `folder`, which must exist; nobody may be connected to it but by
   * sessions that write nothing. Undefined for a given server.
   */
  readonly keep?: (folder: string) => Promise<void>;
  /** Roles that revisions made, to be dropped with the databases. Undefined where they go with the server. */
  readonly takeRoles?: (roles: readonly string[]) => void;
  /** The processes of a server of our own, postmaster first, for CPU accounting; none of a given one. */
  processes(): number[];
}

/** A throwaway database; disposing it drops it together with every connection to it. */
export interface ShadowDatabase extends AsyncDisposable {
  readonly name: string;
  readonly address: Address;
}

/** The setting that names a server, for messages. */
export const shadowUrlSetting = "shadow-url";
