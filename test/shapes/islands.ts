import type { RevisionSource } from "../support/project";
import type { Random } from "../support/random";
import { revision } from "./shape";

/** A table that a landed revision makes, with a child that goes with its rows; no other defect touches it. */
export interface Island {
  /** Of the landed revision that makes it. */
  readonly id: string;
  readonly table: string;
  /** Has `parent_id` with ON DELETE CASCADE. */
  readonly child: string;
  /** What makes `table`, and `child`. */
  readonly make: readonly [string, string];
}

export interface Landed {
  readonly revisions: readonly RevisionSource[];
  readonly islands: readonly Island[];
  readonly head: string;
}

const types = [
  "sa.Integer",
  "sa.BigInteger",
  "sa.Text",
  "sa.Boolean",
  "sa.Date",
  "sa.DateTime(timezone=True)",
  "sa.Numeric(10, 2)",
  "sa.Uuid",
  "sa.JSON",
  "sa.ARRAY(sa.Integer)",
];

/** Seven landed revisions and one that adds columns and indexes to what they made. */
export function landedIslands(random: Random): Landed {
  const ids = Array.from({ length: 8 }, (_, index) => `${index}${random.hex(6)}`);
  const [root = "", ...rest] = ids;
  const last = rest.pop() ?? "";
  const revisions: RevisionSource[] = [commonTable(root, random.chance(0.5))];
  let head = root;
  const islands = rest.map((id, index) => {
    const island = islandOf(random, id, index);
    const [table, child] = island.make;
    const down = `op.drop_table("${island.child}")\nop.drop_table("${island.table}")`;
    revisions.push(revision(id, head, `${table}\n${child}`, down));
    head = id;
    return island;
  });
  revisions.push(addedColumns(random, last, head, islands));
  return { revisions, islands, head: last };
}

/** Everything may point at it, and nothing is ever deleted from it. */
function commonTable(id: string, seeded: boolean): RevisionSource {
  const make =
    'op.create_table("common", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(40), nullable=False, unique=True))';
  const seed = "op.execute(\"INSERT INTO common (id, name) VALUES (1, 'one'), (2, 'two')\")";
  return revision(id, null, seeded ? `${make}\n${seed}` : make, 'op.drop_table("common")');
}

function islandOf(random: Random, id: string, index: number): Island {
  const table = `${random.pick(["order", "ship", "Crew", "port", "route"])}_${index}`;
  const child = `${table}_item`;
  const key = random.pick([
    'sa.Column("id", sa.Integer, primary_key=True)',
    'sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)',
    'sa.Column("id", sa.Uuid, server_default=sa.text("gen_random_uuid()"), primary_key=True)',
  ]);
  const keyType = /sa\.(?:Integer|BigInteger|Uuid)/.exec(key)?.[0] ?? "";
  const columns = [
    key,
    'sa.Column("name", sa.String(120), nullable=False)',
    'sa.Column("label", sa.Text)',
    'sa.Column("port_side", sa.Text)',
    'sa.Column("starboard", sa.Text)',
    'sa.Column("state", sa.String(20), server_default="new", nullable=False)',
    ...moreColumns(random),
    ...(random.chance(0.5) ? ['sa.Column("common_id", sa.Integer, sa.ForeignKey("common.id"))'] : []),
    ...(random.chance(0.3)
      ? ['sa.Column("amount", sa.Integer, sa.CheckConstraint("amount >= 0"), nullable=False)']
      : []),
  ];
  const childColumns = [
    'sa.Column("id", sa.Integer, primary_key=True)',
    `sa.Column("parent_id", ${keyType}, sa.ForeignKey("${table}.id", ondelete="CASCADE"), nullable=False)`,
    ...moreColumns(random),
  ];
  return { id, table, child, make: [createTable(table, columns), createTable(child, childColumns)] };
}

function moreColumns(random: Random): string[] {
  return Array.from(
    { length: random.between(0, 4) },
    (_, index) =>
      `sa.Column("c${index}", ${random.pick(types)}, nullable=${random.chance(0.7) ? "True" : "False"})`,
  );
}

function createTable(table: string, columns: readonly string[]): string {
  return `op.create_table("${table}", ${columns.join(", ")})`;
}

function addedColumns(random: Random, id: string, head: string, islands: readonly Island[]): RevisionSource {
  const chosen = random.shuffled(islands).slice(0, 3);
  const up = chosen.flatMap(({ table, child }) => [
    `op.add_column("${child}", sa.Column("added", ${random.pick(types)}))`,
    `op.create_index("ix_${table}", "${table}", ["label"])`,
  ]);
  const down = chosen.flatMap(({ table, child }) => [
    `op.drop_index("ix_${table}")`,
    `op.drop_column("${child}", "added")`,
  ]);
  return revision(id, head, up.join("\n"), down.join("\n"));
}
