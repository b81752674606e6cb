import type { Revision } from "../model/revision";
import { findProblems, type GraphProblem } from "./problems";

/** The revisions of a project as Alembic links them: `down_revision` and, for what must be applied, `depends_on`. */
export interface Graph {
  /** Parents first, otherwise in the order given; what a cycle holds comes last. One revision an id: the last wins, as in Alembic. */
  readonly revisions: readonly Revision[];
  /** Revisions that no `down_revision` names (Alembic's heads: `depends_on` does not count). */
  readonly heads: readonly string[];
  readonly bases: readonly string[];
  readonly problems: readonly GraphProblem[];
  get(id: string): Revision | undefined;
  /** Every id that must be applied right before this one: parents, then resolved dependencies; missing ones left out. */
  parentsOf(id: string): readonly string[];
  /** Every id whose `down_revision` or `depends_on` names this one. */
  childrenOf(id: string): readonly string[];
  /** The closure over `parentsOf`, the revision itself included; empty for an unknown id. */
  ancestors(id: string): Set<string>;
  /** The closure over `childrenOf`: the revision and everything that needs it. */
  descendants(id: string): Set<string>;
  /** Everything that is applied when the version table holds these ids; unknown ids are left out. */
  applied(heads: readonly string[]): Set<string>;
  /** A revision by what a person types: an id, a branch label, or the start of exactly one id. */
  resolve(text: string): Revision | undefined;
  /** 1 for each applied revision, by its place in `revisions`: `applied` without the cost of strings. */
  mark(heads: readonly string[]): Uint8Array;
}

/** Links revisions; what is wrong with them is in `problems`, never thrown. Linear in revisions and links. */
export function buildGraph(input: readonly Revision[]): Graph {
  const byId = new Map(input.map((revision) => [revision.id, revision]));
  const byLabel = new Map<string, Revision>();
  for (const revision of byId.values()) for (const label of revision.labels) byLabel.set(label, revision);

  const links = new Map<string, readonly string[]>();
  for (const revision of byId.values()) {
    const named = [
      ...revision.parents.filter((id) => byId.has(id)),
      ...revision.dependsOn.flatMap((name) => byId.get(name)?.id ?? byLabel.get(name)?.id ?? []),
    ];
    links.set(revision.id, [...new Set(named)]);
  }
  const children = new Map<string, string[]>([...byId.keys()].map((id) => [id, []]));
  for (const [id, parents] of links) for (const parent of parents) children.get(parent)?.push(id);

  const revisions = topologicalOrder([...byId.values()], links, children);
  const place = new Map(revisions.map((revision, index) => [revision.id, index]));
  const parentPlaces = revisions.map((revision) =>
    (links.get(revision.id) ?? []).map((id) => place.get(id) ?? 0),
  );

  function mark(heads: readonly string[]): Uint8Array {
    const marks = new Uint8Array(revisions.length);
    const open = heads.flatMap((id) => place.get(id) ?? []);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (marks[next] === 1) continue;
      marks[next] = 1;
      open.push(...(parentPlaces[next] ?? []));
    }
    return marks;
  }
  const applied = (heads: readonly string[]): Set<string> => {
    const marks = mark(heads);
    return new Set(revisions.filter((_, index) => marks[index] === 1).map((revision) => revision.id));
  };

  const named = new Set(revisions.flatMap((revision) => revision.parents));
  const heads = revisions.filter((revision) => !named.has(revision.id)).map((revision) => revision.id);
  return {
    revisions,
    heads,
    bases: revisions.filter((revision) => revision.parents.length === 0).map((revision) => revision.id),
    problems: findProblems({ input, byId, byLabel, links, heads }),
    get: (id) => byId.get(id),
    parentsOf: (id) => links.get(id) ?? [],
    childrenOf: (id) => children.get(id) ?? [],
    ancestors: (id) => applied([id]),
    descendants: (id) => {
      const found = new Set([id]);
      for (const each of found) for (const child of children.get(each) ?? []) found.add(child);
      return found;
    },
    applied,
    resolve: (text) => byId.get(text) ?? byLabel.get(text) ?? onlyOneStartingWith(revisions, text),
    mark,
  };
}

function onlyOneStartingWith(revisions: readonly Revision[], text: string): Revision | undefined {
  const found = text === "" ? [] : revisions.filter((revision) => revision.id.startsWith(text));
  return found.length === 1 ? found[0] : undefined;
}

function topologicalOrder(
  revisions: readonly Revision[],
  links: ReadonlyMap<string, readonly string[]>,
  children: ReadonlyMap<string, readonly string[]>,
): Revision[] {
  const byId = new Map(revisions.map((revision) => [revision.id, revision]));
  const waitsFor = new Map(revisions.map((revision) => [revision.id, (links.get(revision.id) ?? []).length]));
  const ordered = revisions.filter((revision) => waitsFor.get(revision.id) === 0);
  for (let index = 0; index < ordered.length; index++) {
    const id = ordered[index]?.id ?? "";
    for (const child of children.get(id) ?? []) {
      const left = (waitsFor.get(child) ?? 0) - 1;
      waitsFor.set(child, left);
      const revision = byId.get(child);
      if (left === 0 && revision !== undefined) ordered.push(revision);
    }
  }
  return [...ordered, ...revisions.filter((revision) => (waitsFor.get(revision.id) ?? 0) > 0)];
}
