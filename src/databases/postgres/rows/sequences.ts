import { type Client, escapeLiteral } from "pg";
import type { Sequence } from "./shape";
import { firstKey } from "./values";

/** Above our own keys. */
const raised = firstKey + 200_000;

interface State {
  readonly name: string;
  readonly last: string;
  readonly called: boolean;
  readonly raised: string;
}

/** What an earlier fill left there must not come again. */
function highest(owner: Sequence["owner"]): string {
  return owner === undefined
    ? ""
    : `, (select pg_catalog.max(${owner.column})::pg_catalog.int8 from ${owner.table})`;
}

/**
 * Puts sequences high, so that what triggers and defaults take from them during a fill cannot be the numbers that a later
 * migration, or the next row, gets. A rollback does not bring them back: the answer does, outside of the transaction.
 */
export async function raiseSequences(
  client: Client,
  sequences: readonly Sequence[],
): Promise<() => Promise<void>> {
  if (sequences.length === 0) return async () => {};
  const { rows } = await client.query<State>(
    sequences
      .map(
        ({
          name,
          owner,
        }) => `select ${escapeLiteral(name)} as name, s.last_value::text as last, s.is_called as called,
          least(greatest(s.last_value, least(${raised}, q.seqmax / 2)${highest(owner)}), q.seqmax)::text as raised
          from ${name} s, pg_catalog.pg_sequence q where q.seqrelid = ${escapeLiteral(name)}::pg_catalog.regclass and q.seqincrement > 0`,
      )
      .join(" union all "),
  );
  if (rows.length === 0) return async () => {};
  const set = (value: (state: State) => string) =>
    client.query(
      rows
        .map(
          (state) =>
            `select pg_catalog.setval(${escapeLiteral(state.name)}::pg_catalog.regclass, ${value(state)})`,
        )
        .join(" union all "),
    );
  await set((state) => `${state.raised}, true`);
  return async () => {
    await set((state) => `${state.last}, ${state.called}`);
  };
}
