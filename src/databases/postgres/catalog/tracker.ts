import type { Catalog, CatalogDelta } from "../../../model/catalog";
import { compareCatalogs } from "./compare";
import type { Entry } from "./details";
import { KnownRows, oidsOf } from "./known-rows";
import { CatalogQuestions } from "./questions";
import type { CatalogSession } from "./session";

/** The keys that were read with a root, and the relation whose column owns it if it is a sequence. */
interface RootEntries {
  readonly keys: string[];
  readonly owner: string | undefined;
}

export interface CatalogReading {
  readonly changes: CatalogDelta;
  /** How much was read: every object, those that changed, or nothing because nothing had changed. */
  readonly mode: "full" | "incremental" | "unchanged";
}

const rareRoot = "rare";

/**
 * Follows the catalog of one database from read to read. After any read, `current` is what a full read in the same
 * session would return, whichever sessions, savepoints and rollbacks were in between.
 */
export class CatalogTracker {
  readonly #current = new Map<string, string>();
  readonly #roots = new Map<string, RootEntries>();
  readonly #ignored: { readonly schema: string | undefined; readonly table: string }[] = [];
  #questions: CatalogQuestions | undefined;
  #known: KnownRows | undefined;

  /** Live: it follows every read. */
  get current(): Catalog {
    return this.#current;
  }

  /** Leaves a relation out from now on with all that is its own; no schema: wherever it is. */
  ignoreTable(schema: string | undefined, table: string): void {
    if (this.#ignored.some((known) => known.schema === schema && known.table === table)) return;
    this.#ignored.push({ schema, table });
    for (const [root, { keys, owner }] of this.#roots) {
      if (!this.#isIgnored(root, owner)) continue;
      for (const key of keys.splice(0)) this.#current.delete(key);
    }
  }

  /** Leaves nothing out any more; the next read reads all. */
  ignoreNothing(): void {
    this.#ignored.length = 0;
    this.invalidate();
  }

  /** Reads what changed since the last read, all of it at first and after `invalidate`. One ask when nothing changed. */
  async read(session: CatalogSession): Promise<CatalogReading> {
    try {
      return await this.#read(session);
    } catch (error) {
      this.invalidate();
      throw error;
    }
  }

  /** Undoes deltas, newest first, that were rolled back; the next read is a full one. */
  rewind(deltas: readonly CatalogDelta[]): void {
    for (const delta of deltas)
      for (const { key, before } of delta) {
        if (before === undefined) this.#current.delete(key);
        else this.#current.set(key, before);
      }
    this.invalidate();
  }

  /** The next read is a full one. */
  invalidate(): void {
    this.#known = undefined;
  }

  async #read(session: CatalogSession): Promise<CatalogReading> {
    this.#questions ??= await CatalogQuestions.of(session);
    const questions = this.#questions;
    const since = this.#known;
    let plan = since === undefined ? "all" : since.take(await questions.probe(session, since.mark));
    const mode = plan === "all" ? "full" : "incremental";
    if (plan === "all") {
      this.#known = new KnownRows();
      plan = this.#known.take(await questions.probe(session, undefined));
      if (plan === "all") throw new Error("the first read of a catalog cannot ask for another one");
    }
    const { roots, rare } = plan;
    if (mode === "incremental" && roots.size === 0 && !rare) return { changes: [], mode: "unchanged" };
    const entries = roots.size === 0 ? [] : await this.#details(questions, session, roots, !rare);
    if (rare) for (const entry of await questions.rare(session)) entries.push(entry);
    const asked = mode === "full" ? [...this.#roots.keys(), ...roots] : [...roots];
    if (rare) asked.push(rareRoot);
    return { changes: this.#apply(new Set(asked), entries, mode === "full"), mode };
  }

  #details(
    questions: CatalogQuestions,
    session: CatalogSession,
    roots: ReadonlySet<string>,
    last: boolean,
  ): Promise<Entry[]> {
    const oids = oidsOf(roots);
    const { r, ...others } = oids;
    const only = Object.values(others).every((list) => list.length === 0);
    return only && !this.#hasFunctionsOnRelations()
      ? questions.relations(session, r, last)
      : questions.details(session, oids, last);
  }

  /** A body that is stored as a syntax tree (BEGIN ATOMIC, RETURN) shows columns; one that is a text (AS) does not. */
  #hasFunctionsOnRelations(): boolean {
    for (const [root, { keys }] of this.#roots) {
      if (!root.startsWith("f")) continue;
      for (const key of keys) if (!/\\nAS [$']/.test(this.#current.get(key) ?? "")) return true;
    }
    return false;
  }

  /** Puts entries in the place of all that their roots and the asked ones had. */
  #apply(asked: Set<string>, entries: readonly Entry[], all: boolean): CatalogDelta {
    const after = new Map<string, string>();
    const roots = new Map<string, RootEntries>();
    for (const [root, key, definition, owner] of entries) {
      asked.add(root);
      const read = roots.get(root) ?? { keys: [], owner: owner ?? undefined };
      roots.set(root, read);
      if (this.#isIgnored(root, read.owner)) continue;
      read.keys.push(key);
      after.set(key, definition);
    }
    const before = new Map<string, string>();
    const replaced = all
      ? this.#current.keys()
      : [...asked].flatMap((root) => this.#roots.get(root)?.keys ?? []);
    for (const key of replaced) {
      const definition = this.#current.get(key);
      if (definition !== undefined) before.set(key, definition);
    }
    for (const root of asked) this.#roots.delete(root);
    for (const [root, read] of roots) this.#roots.set(root, read);
    const changes = compareCatalogs(before, after);
    for (const { key, after: definition } of changes) {
      if (definition === undefined) this.#current.delete(key);
      else this.#current.set(key, definition);
    }
    return changes;
  }

  #isIgnored(root: string, owner: string | undefined): boolean {
    if (this.#ignored.length === 0) return false;
    if (owner !== undefined && this.#isIgnored(owner, undefined)) return true;
    const relation = this.#known?.relation(root);
    return this.#ignored.some(
      ({ schema, table }) => relation?.name === table && (schema === undefined || schema === relation.schema),
    );
  }
}
