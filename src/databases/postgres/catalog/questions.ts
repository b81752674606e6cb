import { detailsStatement, type Entry, relationsStatement } from "./details";
import { type Probe, probeStatement } from "./probe";
import { rareStatement } from "./rare";
import type { CatalogSession } from "./session";

/** What was visible at a read, as the next probe wants to know it. */
export interface ReadMark {
  readonly snapshot: string;
  /** The reader's own transaction (32 bits) and its last command that wrote, "0" and "-1" without one. */
  readonly xid: string;
  readonly command: string;
  /** Transactions (64 bits) whose rows were seen and which may yet be rolled back. */
  readonly unsettled: readonly string[];
}

/** The oids of the roots to be read, by the letter of their table. */
export type Roots = Readonly<Record<"r" | "t" | "f" | "n" | "s", readonly string[]>>;

/** The catalog statements of one server version (server_version_num), asked in a session. */
export class CatalogQuestions {
  readonly #probe: string;
  readonly #details: string;
  readonly #relations: string;
  readonly #rare: string;

  constructor(version: number) {
    this.#probe = probeStatement(version);
    this.#details = detailsStatement(version);
    this.#relations = relationsStatement(version);
    this.#rare = rareStatement(version);
  }

  static async of(session: CatalogSession): Promise<CatalogQuestions> {
    const sql = "select convert_to(current_setting('server_version_num'), 'UTF8')";
    return new CatalogQuestions(Number((await session.ask("catalog-version", sql, [])).toString()));
  }

  /** What changed since the mark; without one every row counts as changed. */
  async probe(session: CatalogSession, since: ReadMark | undefined): Promise<Probe> {
    const frozen = "2";
    const params =
      since === undefined
        ? [frozen, "0", "-1", "1:1:", "{}"]
        : [
            oldestOf(since.snapshot),
            since.xid,
            since.command,
            since.snapshot,
            `{${since.unsettled.join(",")}}`,
          ];
    return JSON.parse((await session.ask("catalog-probe", this.#probe, params)).toString());
  }

  async details(session: CatalogSession, { r, t, f, n, s }: Roots, last: boolean): Promise<Entry[]> {
    const params = [r, t, f, n, s].map((oids) => `{${oids.join(",")}}`);
    return JSON.parse((await session.ask("catalog-details", this.#details, params, last)).toString());
  }

  async relations(session: CatalogSession, oids: readonly string[], last: boolean): Promise<Entry[]> {
    const params = [`{${oids.join(",")}}`];
    return JSON.parse((await session.ask("catalog-relations", this.#relations, params, last)).toString());
  }

  async rare(session: CatalogSession): Promise<Entry[]> {
    return JSON.parse((await session.ask("catalog-rare", this.#rare, [], true)).toString());
  }
}

/** The oldest transaction that was running, as 32 bits: rows of older ones were all seen. */
function oldestOf(snapshot: string): string {
  return xid32(snapshot.slice(0, snapshot.indexOf(":")));
}

export function xid32(xid64: string): string {
  return (BigInt(xid64) & 0xffffffffn).toString();
}

/** The 64 bits of a transaction id near to another one. */
export function xid64(xid: string, near: string): string {
  const reference = BigInt(near);
  const difference = BigInt.asIntN(32, BigInt(xid) - reference);
  return (reference + difference).toString();
}
