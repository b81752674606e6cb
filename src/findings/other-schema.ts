import { differencesOf } from "../evidence/deltas";
import type { Catalog, CatalogDelta } from "../model/catalog";
import { identityOf, kindOf } from "../model/catalog";
import type { Finding } from "../model/finding";
import type { Graph } from "../revisions/graph";
import { describeChange, groupByObject } from "./objects";
import { placeOf } from "./places";
import { oneLine } from "./proof";

export interface TwoSchemas {
  /** At the change's head: what an empty database got, and what one with the base's history got. */
  readonly fresh: Catalog;
  readonly deployed: Catalog;
  /** Keys in which the two differed before the change: what is not its doing. */
  readonly before: ReadonlySet<string>;
  /** What revisions changed on the way up, in order: on an empty database, then on the other one. */
  readonly steps: readonly { readonly revision: string; readonly changes: CatalogDelta }[];
  /** Landed revisions that the change edited, and revisions that it brings. */
  readonly judged: ReadonlySet<string>;
  /** The landed ones of them. */
  readonly edited: ReadonlySet<string>;
  readonly graph: Graph;
  readonly seenBy: string;
}

/** What a lane says of the two schemas. */
export interface ComparedSchemas {
  readonly findings: readonly Finding[];
  /** Both texts of what was edited ran, one on an empty database and one where the base had applied it. */
  readonly bothRan: boolean;
}

/** To the finding on an edited revision, what the edit makes of databases that have it: seen, and not read from the texts. */
export function withBothSchemas(
  findings: readonly Finding[],
  { findings: seen, bothRan }: ComparedSchemas,
): Finding[] {
  if (!bothRan) return [...findings];
  const differing = seen.filter(({ rule }) => rule === "schema-depends-on-history");
  return findings.map((finding) => {
    if (finding.rule !== "revision-edited") return finding;
    const own = differing.filter(({ revision }) => revision === finding.revision);
    const told =
      own.length > 0
        ? own.map(({ what }) => what).join(" ")
        : differing.length === 0
          ? "Both texts were run: a database that has it and an empty one end with the same schema. What either wrote into rows was not compared."
          : undefined;
    return told === undefined ? finding : { ...finding, seen: `${finding.seen}\n${told}` };
  });
}

/** The most that one check shows; an edited base table shows them all. */
const mostShown = 10;

/** What production would have otherwise than every database that is made from now on. */
export function otherSchemaFindings(schemas: TwoSchemas): Finding[] {
  const { fresh, deployed, before } = schemas;
  const keys = new Set([...fresh.keys(), ...deployed.keys()]);
  const differing = [...keys].filter(
    (key) => fresh.get(key) !== deployed.get(key) && kindOf(key) !== "column order" && !before.has(key),
  );
  if (differing.length === 0) return [];
  const delta = (catalog: Catalog): CatalogDelta =>
    differing.map((key) => ({ key, before: undefined, after: catalog.get(key) }));
  const differences = differencesOf(delta(fresh), delta(deployed)).map((difference) => ({
    ...difference,
    owner: ownerOf(difference.key, schemas) ?? "",
  }));
  const objects = groupByObject(differences);
  const shown = objects.slice(0, mostShown).map(({ key, change, main }): Finding => {
    const owner = schemas.graph.get(main.owner);
    const place = owner === undefined ? noPlace : placeOf(owner, "upgrade", key);
    const name = `${kindOf(key)} ${identityOf(key)}`;
    const has =
      change === "missing"
        ? `does not have the ${name}, which an empty database gets`
        : change === "left"
          ? `has the ${name}, which an empty database does not get`
          : `has another ${name} than an empty database gets`;
    return {
      ...noPlace,
      ...place,
      rule: "schema-depends-on-history",
      severity: "error",
      revision: owner?.id,
      direction: owner === undefined ? undefined : "upgrade",
      object: key,
      what: `A database with the base's history ${has}.`,
      where: owner === undefined ? "the change's head" : `revision ${owner.id}, upgrade`,
      seen: `${schemas.seenBy}; ${change === "changed" ? describeChange(main) : oneLine(main.expected ?? main.found ?? "")}`,
      why: "Production has that history: from now on it and every new database (tests, new tenants) have different schemas, and no later check can see it.",
      do:
        owner === undefined
          ? advice
          : `Restore ${owner.location.file}, and write the change as a new revision.`,
      suppressed: false,
      suppression: undefined,
    };
  });
  const left = objects.length - shown.length;
  const last = shown.at(-1);
  if (left === 0 || last === undefined) return shown;
  return [...shown.slice(0, -1), { ...last, seen: `${last.seen}\n${left} more objects differ.` }];
}

const advice =
  "Find what builds it otherwise (a landed revision that was edited, code or a setting that revisions read), restore that, and write the change as a new revision.";

const noPlace = {
  file: undefined,
  line: undefined,
  column: undefined,
} as const;

/**
 * The last one under judgement that made it, on whichever of the two, or, of what it no longer makes, the edited one that makes
 * the table; the rest of the history is nobody's to mend.
 */
function ownerOf(key: string, { steps, judged, edited }: TwoSchemas): string | undefined {
  const own = steps.filter(({ revision }) => judged.has(revision));
  const maker = own.findLast(({ changes }) => changes.some((change) => change.key === key));
  if (maker !== undefined) return maker.revision;
  for (const only of [judged, edited]) if (only.size === 1) return [...only][0];
  const makesTable = ({ key: made }: { readonly key: string }) =>
    /table$/.test(kindOf(made)) && identityOf(key).startsWith(`${identityOf(made)}.`);
  return own.findLast(({ revision, changes }) => edited.has(revision) && changes.some(makesTable))?.revision;
}
