import type { Revision } from "../model/revision";

/** What is wrong with the graph, as a fact. Each `revisions` entry has its file; `text` is one sentence without advice. */
export interface GraphProblem {
  readonly rule: "multiple-heads" | "missing-parent" | "duplicate-revision" | "revision-cycle";
  readonly revisions: readonly Revision[];
  /** The id or name that is missing or used twice; undefined for heads and cycles. */
  readonly name: string | undefined;
  readonly text: string;
}

interface Linked {
  readonly input: readonly Revision[];
  readonly byId: ReadonlyMap<string, Revision>;
  readonly byLabel: ReadonlyMap<string, Revision>;
  readonly links: ReadonlyMap<string, readonly string[]>;
  readonly heads: readonly string[];
}

/** Every problem of a graph: duplicates, missing parents, cycles, then heads. */
export function findProblems(graph: Linked): GraphProblem[] {
  return [
    ...duplicates(graph),
    ...duplicateLabels(graph),
    ...missing(graph),
    ...cycles(graph),
    ...heads(graph),
  ];
}

function duplicates({ input }: Linked): GraphProblem[] {
  const groups = new Map<string, Revision[]>();
  for (const revision of input) groups.set(revision.id, [...(groups.get(revision.id) ?? []), revision]);
  return [...groups].flatMap(([id, revisions]) =>
    revisions.length < 2
      ? []
      : {
          rule: "duplicate-revision" as const,
          revisions,
          name: id,
          text: `The revision id "${id}" is used by ${revisions.length} files: ${list(revisions.map((revision) => revision.location.file))}.`,
        },
  );
}

/** Alembic stops with "Branch name … already used": labels and ids share one name space. */
function duplicateLabels({ byId }: Linked): GraphProblem[] {
  const owners = new Map(byId);
  const problems: GraphProblem[] = [];
  for (const revision of byId.values()) {
    for (const label of revision.labels) {
      const owner = owners.get(label);
      if (owner === undefined) owners.set(label, revision);
      else {
        const text = `The branch label "${label}" of revision "${revision.id}" already names revision "${owner.id}".`;
        problems.push({ rule: "duplicate-revision", revisions: [owner, revision], name: label, text });
      }
    }
  }
  return problems;
}

function missing({ byId, byLabel }: Linked): GraphProblem[] {
  const report = (revision: Revision, name: string, attribute: string): GraphProblem => ({
    rule: "missing-parent",
    revisions: [revision],
    name,
    text: `${attribute} of revision "${revision.id}" names "${name}", and no revision file has this id.`,
  });
  return [...byId.values()].flatMap((revision) => [
    ...revision.parents.filter((id) => !byId.has(id)).map((id) => report(revision, id, "down_revision")),
    ...revision.dependsOn
      .filter((name) => !byId.has(name) && !byLabel.has(name))
      .map((name) => report(revision, name, "depends_on")),
  ]);
}

function heads({ heads, byId }: Linked): GraphProblem[] {
  if (heads.length < 2) return [];
  const revisions = heads.flatMap((id) => byId.get(id) ?? []);
  const text = `There are ${heads.length} heads: ${list(heads.map((id) => `"${id}"`))}.`;
  return [{ rule: "multiple-heads", revisions, name: undefined, text }];
}

/** The strongly connected parts with more than one revision, or one that names itself (Tarjan, without recursion). */
function cycles({ byId, links }: Linked): GraphProblem[] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const found: string[][] = [];
  for (const start of byId.keys()) {
    if (order.has(start)) continue;
    const path: { readonly id: string; next: number }[] = [];
    const enter = (id: string): void => {
      order.set(id, order.size);
      low.set(id, order.size - 1);
      stack.push(id);
      onStack.add(id);
      path.push({ id, next: 0 });
    };
    const lower = (id: string, value: number): void => {
      low.set(id, Math.min(low.get(id) ?? value, value));
    };
    enter(start);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const parent = links.get(frame.id)?.[frame.next];
      frame.next++;
      if (parent !== undefined) {
        if (!order.has(parent)) enter(parent);
        else if (onStack.has(parent)) lower(frame.id, order.get(parent) ?? 0);
        continue;
      }
      path.pop();
      const below = path.at(-1);
      if (below !== undefined) lower(below.id, low.get(frame.id) ?? 0);
      if (low.get(frame.id) !== order.get(frame.id)) continue;
      const part = stack.splice(stack.lastIndexOf(frame.id));
      for (const id of part) onStack.delete(id);
      if (part.length > 1 || links.get(frame.id)?.includes(frame.id) === true) found.push(part);
    }
  }
  return found.map((ids) => {
    const revisions = ids.flatMap((id) => byId.get(id) ?? []);
    const text =
      ids.length === 1
        ? `Revision "${ids[0]}" names itself as its parent.`
        : `Revisions are each other's ancestors: ${list(ids.map((id) => `"${id}"`))}.`;
    return { rule: "revision-cycle", revisions, name: undefined, text };
  });
}

function list(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
