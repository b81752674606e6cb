import { type Client, escapeIdentifier } from "pg";
import type { Combination } from "./oracle";
import { tryQuery } from "./savepoint";
import type { ForeignKey } from "./shape";
import { firstKey, firstSmallKey, uuidPrefix, words } from "./values";

/** Keys that are offered to a table's rows; more parents than that teach nothing new. */
const mostParents = 200;

/** The keys that foreign keys can point at, read once a parent is complete. */
export class Parents {
  readonly #client: Client;
  /** Keys that are not ours come first: those of a top-up, where every one of them is to have a row. */
  readonly strangersFirst: boolean;
  readonly #known = new Map<string, readonly Combination[]>();

  constructor(client: Client, { strangersFirst }: { readonly strangersFirst: boolean }) {
    this.#client = client;
    this.strangersFirst = strangersFirst;
  }

  /** In the order of the key; `isComplete`: no row will be added any more. */
  async keysOf(key: ForeignKey, isComplete: boolean): Promise<readonly Combination[]> {
    if (!key.isReadable) return [];
    const name = [key.parent, ...key.parentColumns].join("\0");
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const columns = key.parentColumns.map((column) => `p.${escapeIdentifier(column)}`);
    const read = await tryQuery<(string | null)[]>(this.#client, {
      text: `select ${columns.map((column) => `${column}::pg_catalog.text`).join(", ")} from ${key.parent} as p
        where pg_catalog.num_nulls(${columns.join(", ")}) = 0 order by ${columns.join(", ")} limit ${mostParents}`,
      rowMode: "array",
    });
    const rows = read ?? [];
    const keys = this.strangersFirst ? [...rows.filter((row) => !isOurs(row)), ...rows.filter(isOurs)] : rows;
    if (isComplete) this.#known.set(name, keys);
    return keys;
  }
}

/** Whether a key looks like those that this module makes; a wrong guess costs the order alone. */
export function isOurs(key: Combination): boolean {
  return key.some((value) => {
    if (value === null) return false;
    const number = Number(value);
    if (Number.isInteger(number))
      return (
        (number >= firstKey && number < firstKey + 100_000) ||
        (number >= firstSmallKey && number < firstSmallKey + 1_000)
      );
    return value.startsWith(uuidPrefix) || words.some((word) => value.startsWith(word));
  });
}
