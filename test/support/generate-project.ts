import { generateOperation } from "./generated/generate-operation";
import { type Defect, type Effect, effects, type GeneratedOperation } from "./generated/operation";
import { SchemaState } from "./generated/schema-state";
import { alembicFiles, type Driver, type ProjectFiles, type RevisionSource } from "./project";
import { Random } from "./random";

export interface GenerateOptions {
  readonly seed: number;
  readonly revisions: number;
  readonly driver: Driver;
  readonly transactionPerMigration?: boolean;
  /** How many downgrades get a defect, one a revision; fewer where the history has fewer to offer. */
  readonly defects?: number;
  /** Which defects may be planted, by what is seen of them; all of them where it is not given. */
  readonly effects?: readonly Effect[];
  /** "plain": tables, indexes, columns, checks and types in a cycle of five, without defects: for measuring. */
  readonly shape?: "mixed" | "plain";
}

export interface PlantedDefect {
  readonly revision: string;
  readonly kind: Defect["kind"];
  readonly what: string;
  /** As a catalog key, e.g. `index public.ix_t1_code`. */
  readonly object: string;
  readonly effect: Effect;
}

export interface GeneratedProject {
  readonly files: ProjectFiles;
  /** In the order of the history. */
  readonly planted: readonly PlantedDefect[];
  /** Ids in an order in which they can be applied. */
  readonly revisions: readonly string[];
}

interface GeneratedRevision {
  readonly id: string;
  readonly down: string | readonly string[] | null;
  readonly operations: readonly GeneratedOperation[];
}

/**
 * An Alembic history whose every downgrade is the exact inverse of its upgrade, and then as many downgrades with a defect
 * as were asked for. The same options give the same files.
 */
export function generateProject(options: GenerateOptions): GeneratedProject {
  const random = new Random(options.seed);
  const isPlain = options.shape === "plain";
  const history = isPlain ? plainHistory(options.revisions) : mixedHistory(options.revisions, random);
  const planted = isPlain ? new Map<string, Planted>() : plant(history, options, random);
  const sources = history.map((revision, number): RevisionSource => {
    const downgrades = revision.operations.map((operation) => {
      const defect = planted.get(revision.id);
      return defect?.operation === operation ? defect.defect.downgrade : operation.downgrade;
    });
    return {
      id: revision.id,
      down: revision.down,
      file: `${number + 1}_${revision.id}.py`,
      upgrade: revision.operations.flatMap(({ upgrade }) => upgrade).join("\n"),
      downgrade: downgrades.reverse().flat().join("\n"),
    };
  });
  const { driver, transactionPerMigration = false } = options;
  return {
    files: alembicFiles({ driver, transactionPerMigration, revisions: sources }),
    revisions: history.map(({ id }) => id),
    planted: history.flatMap(({ id }) => {
      const defect = planted.get(id)?.defect;
      if (defect === undefined) return [];
      const { kind, what, object, effect } = defect;
      return [{ revision: id, kind, what, object, effect }];
    }),
  };
}

function mixedHistory(count: number, random: Random): GeneratedRevision[] {
  const schema = new SchemaState(random);
  const history: GeneratedRevision[] = [];
  const add = (down: GeneratedRevision["down"], half: 0 | 1 | undefined): string => {
    schema.beginRevision(half);
    const operations = Array.from({ length: random.between(1, 3) }, () => generateOperation(schema));
    history.push({ id: random.hex(12), down, operations });
    return history.at(-1)!.id;
  };
  let head: string | null = null;
  while (history.length < count) {
    const left = count - history.length;
    if (history.length > 5 && left > 6 && random.chance(0.08)) {
      const tips: [string | null, string | null] = [head, head];
      for (let steps = random.between(3, 5); steps > 0; steps--) {
        // Each of the two has at least one revision.
        const half = tips[0] === head ? 0 : tips[1] === head ? 1 : random.pick([0, 1] as const);
        tips[half] = add(tips[half], half);
      }
      const id: string = random.hex(12);
      history.push({ id, down: [tips[0]!, tips[1]!], operations: [] });
      head = id;
    } else {
      head = add(head, undefined);
    }
  }
  return history;
}

interface Planted {
  readonly operation: GeneratedOperation;
  readonly defect: Defect;
}

function plant(
  history: readonly GeneratedRevision[],
  options: GenerateOptions,
  random: Random,
): Map<string, Planted> {
  const allowed = options.effects ?? effects;
  const planted = new Map<string, Planted>();
  const taken = new Set<string | undefined>();
  for (const revision of random.shuffled(history)) {
    if (planted.size >= (options.defects ?? 0)) break;
    const candidates = revision.operations.flatMap((operation) =>
      operation.defects
        .filter(({ effect, object, notWith }) => {
          const isFree = !taken.has(object) && (notWith === undefined || !taken.has(notWith));
          return isFree && allowed.includes(effect);
        })
        .map((defect) => ({ operation, defect })),
    );
    if (candidates.length === 0) continue;
    const chosen = random.pick(candidates);
    planted.set(revision.id, chosen);
    taken.add(chosen.defect.object).add(chosen.defect.notWith);
  }
  return planted;
}

function plainHistory(count: number): GeneratedRevision[] {
  return Array.from({ length: count }, (_, index) => {
    const table = `t${String(Math.floor(index / 5)).padStart(3, "0")}`;
    const [upgrade, downgrade] = plainStep(table, index % 5);
    const id = (number: number) => `g${String(number).padStart(4, "0")}`;
    const operation = { upgrade: [upgrade], downgrade: [downgrade], defects: [] };
    return { id: id(index + 1), down: index === 0 ? null : id(index), operations: [operation] };
  });
}

function plainStep(table: string, step: number): [upgrade: string, downgrade: string] {
  switch (step) {
    case 0:
      return [
        `op.create_table("${table}", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(50), nullable=False), ` +
          `sa.Column("price", sa.Numeric(10, 2)), sa.Column("made_at", sa.DateTime(), server_default=sa.func.now()))`,
        `op.drop_table("${table}")`,
      ];
    case 1:
      return [
        `op.create_index("ix_${table}_name", "${table}", ["name"])`,
        `op.drop_index("ix_${table}_name", table_name="${table}")`,
      ];
    case 2:
      return [
        `op.add_column("${table}", sa.Column("notes", sa.Text()))`,
        `op.drop_column("${table}", "notes")`,
      ];
    case 3:
      return [
        `op.create_check_constraint("ck_${table}_price", "${table}", "price >= 0")`,
        `op.drop_constraint("ck_${table}_price", "${table}")`,
      ];
    default:
      return [
        `op.alter_column("${table}", "name", type_=sa.Text())`,
        `op.alter_column("${table}", "name", type_=sa.String(50))`,
      ];
  }
}
