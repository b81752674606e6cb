import type { Probe } from "./probe";
import { type ReadMark, type Roots, xid32, xid64 } from "./questions";
import type { RareRows } from "./rare-digest";

interface KnownRow {
  /** Letter and oid of the row that this one belongs to; a root's own is itself. */
  readonly root: string;
  readonly name: string | null;
  /** xmin and cmin: which version of the row was read. */
  readonly version: string;
}

/** What is to be read after a probe; "all" where texts may have changed that no row tells of. */
export type Plan = "all" | { readonly roots: ReadonlySet<string>; readonly rare: boolean };

/** The catalog rows as of the last read: enough to tell from a probe which objects to read again. */
export class KnownRows {
  readonly #rows = new Map<string, KnownRow>();
  readonly #lists = new Map<string, { readonly text: string; readonly ids: readonly string[] }>();
  readonly #rare = { names: new RareVersions(), rest: new RareVersions() };
  #mark: ReadMark | undefined;

  get mark(): ReadMark | undefined {
    return this.#mark;
  }

  /** Takes a probe in: the first one whole, then one since `mark` each. After "all" begin with a new object. */
  take(probe: Probe): Plan {
    const first = this.#mark === undefined;
    if (!first && probe.stale) return "all";
    if (this.#rare.names.take(probe.rare.names) && !first) return "all";
    const roots = new Set<string>();
    let rare = first;
    for (const [letter, [ids, changed]] of Object.entries(probe.rows)) {
      for (const row of changed ?? []) {
        const key = letter + row[0];
        const known = this.#rows.get(key);
        const version = `${row[3]} ${row[4]}`;
        if (known?.version === version) continue;
        if (row[1].startsWith("rare")) rare = true;
        const root = row[1] === key ? key : this.#rootOf(row[1]);
        // Rows of toast tables, temporary tables and the like: of no relation that is looked at.
        if (root === undefined && ids === null) continue;
        if (known !== undefined && known.name !== row[2] && row[2] !== null) return "all";
        this.#rows.set(key, { root: row[1], name: row[2], version });
        if (root !== undefined) roots.add(root);
      }
      const gone = this.#goneFrom(letter, ids ?? "{}");
      if (gone === "all") return "all";
      for (const key of gone) {
        const root = this.#rows.get(key)?.root ?? key;
        if (root.startsWith("rare")) rare = true;
        const known = this.#rootOf(root) ?? (root === key ? key : undefined);
        if (known !== undefined) roots.add(known);
      }
      for (const key of gone) this.#rows.delete(key);
    }
    if (this.#rare.rest.take(probe.rare.rest)) rare = true;
    this.#mark = markOf(probe, this.#mark);
    return { roots, rare };
  }

  /** Schema and name of a relation as they are, unquoted; undefined for what is no relation or not known. */
  relation(root: string): { readonly schema: string; readonly name: string } | undefined {
    const name = root.startsWith("r") ? this.#rows.get(root)?.name : undefined;
    if (name === undefined || name === null) return undefined;
    const dot = name.indexOf(".");
    const schema = this.#rows.get(`n${name.slice(0, dot)}`)?.name;
    return schema === undefined || schema === null ? undefined : { schema, name: name.slice(dot + 1) };
  }

  /** Follows a row to the one that is read as a whole, e.g. comment → index → table. */
  #rootOf(key: string): string | undefined {
    const row = this.#rows.get(key);
    if (row === undefined || row.root === key) return row?.root;
    return this.#rootOf(row.root);
  }

  /** Keys of rows that are no longer there; "all" when one is back that was not known to be there (a rollback). */
  #goneFrom(letter: string, text: string): readonly string[] | "all" {
    const before = this.#lists.get(letter);
    if (before?.text === text) return [];
    const ids = text === "{}" ? [] : text.slice(1, -1).split(",");
    this.#lists.set(letter, { text, ids });
    if (before === undefined) return [];
    const old = new Set(before.ids);
    const now = new Set(ids);
    const appeared = ids.filter((id) => !old.has(id));
    if (appeared.some((id) => !this.#rows.has(letter + id))) return "all";
    return before.ids.filter((id) => !now.has(id)).map((id) => letter + id);
  }
}

/** Row versions of a group of rare tables: a deletion shows in the count, any other change as a new version. */
class RareVersions {
  #rows = -1;
  #texts: string | null = null;
  readonly #versions = new Set<string>();

  /** True when it differs from what was taken before. */
  take([rows, versions, texts]: RareRows): boolean {
    const fresh = (versions ?? []).filter((version) => !this.#versions.has(version));
    const differs = rows !== this.#rows || texts !== this.#texts || fresh.length > 0;
    this.#rows = rows;
    this.#texts = texts;
    for (const version of fresh) this.#versions.add(version);
    return differs;
  }
}

/** What the next probe has to know of this one. The largest command id is below that of any later change. */
function markOf(probe: Probe, before: ReadMark | undefined): ReadMark {
  const [oldest = "0", next = "0"] = probe.snapshot.split(":");
  const xid = probe.xid === null ? "0" : xid32(probe.xid);
  const writers = new Set<string>();
  let command = before?.xid === xid ? Number(before.command) : -1;
  for (const [, changed] of Object.values(probe.rows)) {
    for (const row of changed ?? []) {
      if (row[3] !== xid) writers.add(row[3]);
      else if (Number(row[4]) > command) command = Number(row[4]);
    }
  }
  // 1 and 2 stand for bootstrap and frozen (FirstNormalTransactionId is 3).
  const unsettled = [...writers].filter((writer) => Number(writer) > 2).map((writer) => xid64(writer, next));
  if (probe.xid !== null) unsettled.push(probe.xid);
  const settled = (id: string) => BigInt(id) < BigInt(oldest);
  return {
    snapshot: probe.snapshot,
    xid,
    command: String(command),
    unsettled: [...new Set([...unsettled, ...(before?.unsettled ?? [])])].filter((id) => !settled(id)),
  };
}

/** Oids by table, as the details statement takes them. */
export function oidsOf(roots: Iterable<string>): Roots {
  const oids: Record<keyof Roots, string[]> = { r: [], t: [], f: [], n: [], s: [] };
  for (const root of roots) oids[root[0] as keyof Roots].push(root.slice(1));
  return oids;
}
