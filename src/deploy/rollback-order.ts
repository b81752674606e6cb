import { type CatalogDelta, type CatalogKind, identityOf, kindOf } from "../model/catalog";
import type { RollbackOrder } from "../model/deployment";
import { type BroughtBy, broughtBy } from "../project/brought-by";
import type { Target } from "./target";

/** What a release names in its statements. */
const named: ReadonlySet<CatalogKind> = new Set([
  "table",
  "partitioned table",
  "foreign table",
  "column",
  "view",
  "materialized view",
  "function",
  "procedure",
  "aggregate",
  "enum type",
  "domain",
  "composite type",
  "sequence",
  "schema",
]);

const untilThen = "stop the release that runs, or let its errors be";

/** In which order a release and its database go back, by what the downgrade was seen to do on the shadow. */
export async function rollbackOrder(
  { project, tool }: Target,
  id: string,
  downgrade: CatalogDelta,
): Promise<RollbackOrder> {
  const brought = await broughtBy(project.root, tool.revisionLine(id), tool.revisionFiles(id));
  const deploy = `deploy ${releaseBefore(id, brought)}`;
  const takeBack = `take ${id} back`;
  const commit = brought?.before;
  const gone = listOf(downgrade.filter(({ key, after }) => named.has(kindOf(key)) && after === undefined));
  const back = listOf(downgrade.filter(({ key, before }) => named.has(kindOf(key)) && before === undefined));
  const tighter = listOf(
    downgrade.filter(
      ({ key, before, after }) =>
        (named.has(kindOf(key)) && before !== undefined && after !== undefined) ||
        (kindOf(key) === "constraint" && before === undefined),
    ),
  );
  if (gone !== "" && back !== "") {
    return {
      first: "neither",
      why: `The downgrade removes what the release that runs may use (${gone}) and brings back what the one before it needs (${back}): no order suits both.`,
      steps: [untilThen, takeBack, deploy],
      commit,
    };
  }
  if (back !== "") {
    return {
      first: "database",
      why: `The downgrade brings back what a release from before ${id} needs (${back}); the one that runs does not use it.`,
      steps: [takeBack, deploy],
      commit,
    };
  }
  if (gone !== "" || tighter !== "" || downgrade.length === 0) {
    const why =
      gone !== ""
        ? `The downgrade removes what the release that runs may use (${gone}): it fails without it.`
        : tighter !== ""
          ? `After the downgrade the database may refuse what the release that runs writes (${tighter}).`
          : "The downgrade changes rows alone: the release that runs may not know them as they were before.";
    return { first: "code", why, steps: [deploy, takeBack], commit };
  }
  return {
    first: "either",
    why: "No release names in its statements what the downgrade changes (indexes, constraints that go, and the like).",
    steps: [takeBack, deploy],
    commit,
  };
}

/** One order for several databases that go back at once; undefined where none is known. */
export function orderOfAll(orders: readonly (RollbackOrder | undefined)[]): RollbackOrder | undefined {
  const known = orders.filter((order) => order !== undefined);
  const [strict, ...others] = known.filter(({ first }) => first !== "either");
  if (strict === undefined) return known[0];
  const other = others.find(({ first }) => first !== strict.first);
  if (other === undefined || strict.first === "neither") return strict;
  if (other.first === "neither") return other;
  const [takeBack = "", deploy = ""] = (strict.first === "database" ? strict : other).steps;
  return {
    first: "neither",
    why: `The databases want different orders. ${strict.why} ${other.why}`,
    steps: [untilThen, takeBack, deploy],
    commit: strict.commit,
  };
}

function releaseBefore(id: string, brought: BroughtBy | undefined): string {
  if (brought?.before === undefined) return `a release from before ${id}`;
  return `${brought.before.slice(0, 12)}, the last commit without ${id} (${brought.commit.slice(0, 12)} "${brought.subject}" brought it)`;
}

/** A table rather than its parts, and no more than a line of them. */
function listOf(changes: CatalogDelta): string {
  const all = changes.map(({ key }) => key);
  const whole = all.filter((key) => kindOf(key) !== "column").map(identityOf);
  const shown = all.filter(
    (key) => kindOf(key) !== "column" || !whole.some((table) => identityOf(key).startsWith(`${table}.`)),
  );
  return `${shown.slice(0, 3).join(", ")}${shown.length > 3 ? `, and ${shown.length - 3} more` : ""}`;
}
