import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { tryStatements } from "./savepoint";

/** Combinations of values of which the server keeps those that it takes and that meet the conditions. */
export interface Question {
  readonly pools: readonly {
    readonly column: string;
    /** As `format_type` prints it; each value is cast to it. */
    readonly type: string;
    readonly values: readonly (string | null)[];
  }[];
  /** Columns that the server computes from the others. */
  readonly computed: readonly { readonly column: string; readonly expression: string }[];
  /** What the expressions may call the row. */
  readonly alias: string;
  /** SQL over these columns; NULL counts as met, as for a CHECK. */
  readonly conditions: readonly string[];
  /** Most combinations that are wanted. */
  readonly limit: number;
}

export type Combination = readonly (string | null)[];

/** Combinations that are tried one by one where the server stumbles over one of them. */
const mostSingle = 600;
/** Questions in one round trip: the server's time for a statement is limited. */
const mostAtOnce = 400;

/**
 * The questions in as few round trips as can be; an answer holds the values as the question wrote them: first those that stand at the
 * same place in every pool, then in the order of a hash. Needs an open transaction; nothing stays in the session.
 */
export async function solve(
  client: Client,
  questions: readonly Question[],
): Promise<readonly (readonly Combination[])[]> {
  const all: (readonly Combination[])[] = [];
  for (let at = 0; at < questions.length; at += mostAtOnce) {
    const some = questions.slice(at, at + mostAtOnce);
    const known = await ask(client, some);
    if (known !== undefined) all.push(...known);
    // One of them took too long, which the program itself cannot catch: the others shall have their answers.
    else
      for (const one of some) all.push((some.length === 1 ? undefined : await ask(client, [one]))?.[0] ?? []);
  }
  return all;
}

async function ask(
  client: Client,
  questions: readonly Question[],
): Promise<readonly (readonly Combination[])[] | undefined> {
  await client.query("select pg_catalog.set_config('migration_gate.questions', $1, true)", [
    JSON.stringify(questions.map(statementsOf)),
  ]);
  if (!("rows" in (await tryStatements(client, program)))) return undefined;
  const { rows } = await client.query<{ answers: Combination[][] }>(answers);
  return rows[0]?.answers ?? [];
}

const answers = "select pg_catalog.current_setting('migration_gate.answers')::pg_catalog.jsonb as answers";

/** An error of one combination (a cast inside a CHECK) must not hide the others: then each is tried by itself. */
const program = `do $migration_gate$
declare
  question pg_catalog.jsonb;
  answer pg_catalog.jsonb;
  answers pg_catalog.jsonb[] := '{}';
  found pg_catalog.jsonb[];
  candidate pg_catalog.text[];
  good pg_catalog.bool;
begin
  for question in select e from pg_catalog.jsonb_array_elements(pg_catalog.current_setting('migration_gate.questions')::pg_catalog.jsonb) e loop
    begin
      execute question ->> 'all' into answer;
    exception when others then
      found := '{}';
      begin
        for candidate in execute question ->> 'candidates' loop
          begin
            execute question ->> 'test' into good using candidate;
            if good then found := pg_catalog.array_append(found, pg_catalog.to_jsonb(candidate)); end if;
          exception when others then null;
          end;
          exit when pg_catalog.cardinality(found) >= (question ->> 'limit')::pg_catalog.int4;
        end loop;
      exception when others then null;
      end;
      answer := pg_catalog.to_jsonb(found);
    end;
    answers := pg_catalog.array_append(answers, coalesce(answer, '[]'));
  end loop;
  perform pg_catalog.set_config('migration_gate.answers', pg_catalog.to_jsonb(answers)::pg_catalog.text, true);
end
$migration_gate$`;

/** Ours, beside the columns of any table. */
const value = (index: number) => `"migration gate ${index}"`;
const place = (index: number) => `"migration gate place ${index}"`;

function statementsOf({ pools, computed, alias, conditions, limit }: Question): object {
  const name = escapeIdentifier(alias);
  const columns = pools.map(({ column }) => escapeIdentifier(column));
  const from = pools
    .map(({ values }, index) => {
      const array = values.map((one) => (one === null ? "null" : escapeLiteral(one))).join(",");
      return `pg_catalog.unnest(array[${array}]::pg_catalog.text[]) with ordinality p${index}(v, o)`;
    })
    .join(" cross join ");
  const withComputed = (inner: string) =>
    computed.length === 0
      ? `${inner} as ${name}`
      : `(select *, ${computed
          .map(({ column, expression }) => `(${expression}) as ${escapeIdentifier(column)}`)
          .join(", ")} from ${inner} as ${name}) as ${name}`;
  // Counting NULLs makes the server compute every cast, and cannot be folded away.
  const met = [
    `pg_catalog.num_nulls(${[...columns, ...computed.map(({ column }) => escapeIdentifier(column))].join(", ")}) >= 0`,
    ...conditions.map((condition) => `(${condition}) is not false`),
  ].join(" and ");
  const ours = pools.map((_, index) => `p${index}.v as ${value(index)}, p${index}.o as ${place(index)}`);
  const casts = pools.map(({ type }, index) => `p${index}.v::${type} as ${columns[index]}`);
  const rows = withComputed(`(select ${[...ours, ...casts].join(", ")} from ${from})`);
  const given = pools.map(
    ({ type }, index) => `($1::pg_catalog.text[])[${index + 1}]::${type} as ${columns[index]}`,
  );
  const values = pools.map((_, index) => value(index)).join(", ");
  const same = pools.slice(1).map((_, index) => `${place(index + 1)} = ${place(0)}`);
  const order = [
    `case when ${same.join(" and ") || "true"} then ${place(0)} end nulls last`,
    `pg_catalog.md5(pg_catalog.concat_ws('|', ${values}))`,
  ].join(", ");
  const plain = pools.map((_, index) => `p${index}.v`).join(", ");
  const plainSame = pools.slice(1).map((_, index) => `p${index + 1}.o = p0.o`);
  return {
    all: `select pg_catalog.jsonb_agg(a) from (select array[${values}] as a from ${rows} where ${met} order by ${order} limit ${limit}) as s`,
    candidates: `select array[${plain}] from ${from} order by case when ${plainSame.join(" and ") || "true"} then p0.o end nulls last,
      pg_catalog.md5(pg_catalog.concat_ws('|', ${plain})) limit ${mostSingle}`,
    test: `select ${met} from ${withComputed(`(select ${given.join(", ")})`)}`,
    limit,
  };
}
