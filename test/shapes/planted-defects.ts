import type { RevisionSource } from "../support/project";
import type { Random } from "../support/random";
import type { Island } from "./islands";
import { revision } from "./shape";

/** A new revision (or an edit of the landed one) and all that is to be said of it. */
export interface Planted {
  readonly upgrade?: string;
  readonly downgrade?: string;
  /** In place of the landed file: a replacement in its upgrade and downgrade. */
  readonly edit?: (source: RevisionSource) => RevisionSource;
  /** `<severity> <rule> <revision> <object>`. */
  readonly findings: (id: string, island: Island) => readonly string[];
}

/**
 * What it does to the rest of the way: `stops` any rows, so that no rows are lost any more; `stopsHostile` only hostile ones; the
 * others stop nothing, and there may be several in one change.
 */
export type DefectEffect = "stops" | "stopsHostile" | "loses" | "schema";

export interface DefectKind {
  readonly name: string;
  readonly effect: DefectEffect;
  plant(island: Island): Planted;
}

const lost = (table: string, id: string) => `error downgrade-loses-data ${id} table ${quoted(table)}`;
const quoted = (table: string) => (table === table.toLowerCase() ? `public.${table}` : `public."${table}"`);
const execute = (sql: string) => `op.execute(${JSON.stringify(sql)})`;
const addColumn = (table: string, rest: string) => `op.add_column("${table}", sa.Column(${rest}))`;
const addsSpare = ({ table }: Island) => addColumn(table, '"spare", sa.Text');
const dropsSpare = ({ table }: Island) => `op.drop_column("${table}", "spare")`;

/** Each is on the tables of one island. */
export const defectKinds: readonly DefectKind[] = [
  {
    name: "a required column without a default",
    effect: "stops",
    plant: ({ table }) => ({
      upgrade: addColumn(table, '"required", sa.Text, nullable=False'),
      downgrade: `op.drop_column("${table}", "required")`,
      findings: (id) => [`error fails-on-rows ${id}`],
    }),
  },
  {
    name: "a foreign key to rows that are not there",
    effect: "stops",
    plant: ({ table }) => ({
      upgrade: addColumn(
        table,
        `"owner_id", sa.Integer, sa.ForeignKey("common.id", name="${table}_owner_fk"), nullable=False, server_default="987654"`,
      ),
      downgrade: `op.drop_column("${table}", "owner_id")`,
      findings: (id) => [`error fails-on-rows ${id}`],
    }),
  },
  {
    name: "a check that no row passes",
    effect: "stops",
    plant: ({ table }) => ({
      upgrade: `op.create_check_constraint("${table}_never", "${table}", "char_length(name) > 500")`,
      downgrade: `op.drop_constraint("${table}_never", "${table}")`,
      findings: (id) => [`error fails-on-rows ${id}`],
    }),
  },
  {
    name: "a cast that text does not pass",
    effect: "stops",
    plant: ({ table }) => ({
      upgrade: `op.alter_column("${table}", "name", type_=sa.Integer, postgresql_using="name::integer")`,
      downgrade: `op.alter_column("${table}", "name", type_=sa.String(120))`,
      findings: (id) => [`warning may-fail-on-rows ${id}`],
    }),
  },
  {
    name: "a unique index over duplicates",
    effect: "stopsHostile",
    plant: ({ table }) => ({
      upgrade: `op.create_index("${table}_name_key", "${table}", ["name"], unique=True)`,
      downgrade: `op.drop_index("${table}_name_key")`,
      findings: (id) => [`warning may-fail-on-rows ${id}`],
    }),
  },
  {
    name: "NOT NULL over NULL",
    effect: "stopsHostile",
    plant: ({ table }) => ({
      upgrade: `op.alter_column("${table}", "label", nullable=False)`,
      downgrade: `op.alter_column("${table}", "label", nullable=True)`,
      findings: (id) => [`warning may-fail-on-rows ${id}`],
    }),
  },
  {
    name: "a narrowed type",
    effect: "stopsHostile",
    plant: ({ table }) => ({
      upgrade: `op.alter_column("${table}", "name", type_=sa.String(60))`,
      downgrade: `op.alter_column("${table}", "name", type_=sa.String(120))`,
      findings: (id) => [`warning may-fail-on-rows ${id}`],
    }),
  },
  {
    name: "a type that is cut without a word",
    effect: "loses",
    plant: ({ table }) => ({
      upgrade: `op.alter_column("${table}", "name", type_=sa.String(2), postgresql_using="left(name, 2)")`,
      downgrade: `op.alter_column("${table}", "name", type_=sa.String(120))`,
      findings: (id) => [`warning upgrade-loses-data ${id} column ${quoted(table)}.name`],
    }),
  },
  {
    name: "DELETE in a downgrade",
    effect: "loses",
    plant: (island) => ({
      upgrade: addsSpare(island),
      downgrade: `${dropsSpare(island)}\n${execute(`DELETE FROM "${island.child}"`)}`,
      findings: (id) => [lost(island.child, id)],
    }),
  },
  {
    name: "DELETE in a downgrade, and all that hangs on it",
    effect: "loses",
    plant: (island) => ({
      upgrade: addsSpare(island),
      downgrade: `${dropsSpare(island)}\n${execute(`DELETE FROM "${island.table}"`)}`,
      findings: (id) => [lost(island.table, id), lost(island.child, id)],
    }),
  },
  {
    name: "DELETE in an upgrade, and what hangs on it and is not named",
    effect: "loses",
    plant: (island) => ({
      upgrade: `${addsSpare(island)}\n${execute(`DELETE FROM "${island.table}"`)}`,
      downgrade: dropsSpare(island),
      findings: (id) => [`warning upgrade-loses-data ${id} table ${quoted(island.child)}`],
    }),
  },
  {
    name: "a column that a downgrade drops and makes again",
    effect: "loses",
    plant: (island) => ({
      upgrade: addsSpare(island),
      downgrade: `${dropsSpare(island)}\nop.drop_column("${island.table}", "starboard")\nop.add_column("${island.table}", sa.Column("starboard", sa.Text))`,
      findings: (id) => [`error downgrade-loses-data ${id} column ${quoted(island.table)}.starboard`],
    }),
  },
  {
    name: "values that a downgrade swaps",
    effect: "loses",
    plant: (island) => ({
      upgrade: addsSpare(island),
      downgrade: `${dropsSpare(island)}\n${execute(`UPDATE "${island.table}" SET port_side = starboard, starboard = port_side`)}`,
      findings: (id) => [
        `error downgrade-loses-data ${id} column ${quoted(island.table)}.port_side`,
        `error downgrade-loses-data ${id} column ${quoted(island.table)}.starboard`,
      ],
    }),
  },
  {
    name: "a downgrade that restores another default",
    effect: "schema",
    plant: ({ table }) => ({
      upgrade: `op.alter_column("${table}", "state", server_default="open")`,
      downgrade: `op.alter_column("${table}", "state", server_default="old")`,
      findings: (id) => [`error downgrade-leaves-residue ${id} column ${quoted(table)}.state`],
    }),
  },
  {
    name: "an enum that a downgrade leaves",
    effect: "schema",
    plant: ({ table }) => ({
      upgrade: `sa.Enum("a", "b", name="kind_of_${table.toLowerCase()}").create(op.get_bind())\nop.add_column("${table}", sa.Column("kind", sa.Enum("a", "b", name="kind_of_${table.toLowerCase()}", create_type=False)))`,
      downgrade: `op.drop_column("${table}", "kind")`,
      findings: (id) => [
        `error downgrade-leaves-residue ${id} enum type public.kind_of_${table.toLowerCase()}`,
      ],
    }),
  },
  {
    name: "an edited landed revision",
    effect: "schema",
    plant: ({ table }) => ({
      edit: (source) => ({
        ...source,
        upgrade: source.upgrade.replace('"state", sa.String(20)', '"state", sa.String(30)'),
      }),
      findings: (_, { id }) => [
        `error revision-edited ${id}`,
        `error schema-depends-on-history ${id} column ${quoted(table)}.state`,
      ],
    }),
  },
];

/** Revisions that do nothing wrong, on the tables of an island of their own. */
export function cleanRevision(
  random: Random,
  id: string,
  down: string,
  { table, child }: Island,
): RevisionSource {
  const ways: readonly (readonly [string, string])[] = [
    [addColumn(table, '"good", sa.Integer'), `op.drop_column("${table}", "good")`],
    [
      addColumn(table, '"good", sa.Boolean, nullable=False, server_default=sa.true()'),
      `op.drop_column("${table}", "good")`,
    ],
    [
      `op.create_table("${table}_log", sa.Column("id", sa.Integer, primary_key=True), sa.Column("item_id", sa.Integer, sa.ForeignKey("${child}.id", ondelete="CASCADE")))`,
      `op.drop_table("${table}_log")`,
    ],
    [`op.create_index("${child}_good_ix", "${child}", ["parent_id"])`, `op.drop_index("${child}_good_ix")`],
    [
      `op.alter_column("${table}", "label", new_column_name="caption")`,
      `op.alter_column("${table}", "caption", new_column_name="label")`,
    ],
    [
      `op.alter_column("${table}", "name", type_=sa.Text)`,
      `op.alter_column("${table}", "name", type_=sa.String(120), postgresql_using="left(name, 120)")`,
    ],
    [
      `${addColumn(table, '"filled", sa.Text')}\n${execute(`UPDATE "${table}" SET filled = coalesce(label, name)`)}\nop.alter_column("${table}", "filled", nullable=False)`,
      `op.drop_column("${table}", "filled")`,
    ],
  ];
  const [upgrade, downgrade] = random.pick(ways);
  return revision(id, down, upgrade, downgrade);
}
