import type { CheckReport, RevisionReport, Step } from "../model/verdict";
import { clip, mermaidLabel } from "./escaping";

/** GitHub's Mermaid refuses more than 50,000 characters and 500 edges; a picture is read with far fewer. */
const mostNodes = 60;
const mostEdges = 200;

type Look = "proved" | "failed" | "open" | "deleted" | "old";

const looks: Readonly<Record<Look, string>> = {
  proved: "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
  failed: "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
  open: "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
  deleted: "fill:#f6f8fa,stroke:#cf222e,color:#1f2328,stroke-dasharray:4",
  old: "fill:#f6f8fa,stroke:#8c959f,color:#1f2328",
};

/**
 * The revisions under judgement and their neighbours as a Mermaid flow chart in a code fence, parents above; empty
 * where there is nothing to show. A big history is cut to its newest part, and says so.
 */
export function revisionGraph(report: CheckReport): string {
  const { revisions } = report;
  const changed = new Set(
    revisions.filter(({ judged, state }) => judged || state === "deleted").map(({ id }) => id),
  );
  if (changed.size === 0) return "";
  const before = new Set(revisions.filter(({ id }) => changed.has(id)).flatMap(({ parents }) => parents));
  const near = revisions.filter(
    ({ id, parents }) => changed.has(id) || before.has(id) || parents.some((parent) => changed.has(parent)),
  );
  // The changed ones before their neighbours, the newest before the oldest.
  const ranked = [
    ...near.filter(({ id }) => changed.has(id)).reverse(),
    ...near.filter(({ id }) => !changed.has(id)),
  ];
  const kept = new Set(ranked.slice(0, mostNodes).map(({ id }) => id));
  const shown = near.filter(({ id }) => kept.has(id));
  const names = new Map(shown.map(({ id }, index) => [id, `r${index}`]));
  const steps = stepsByRevision(report.steps);
  const edges = shown.flatMap(({ id, parents }) =>
    parents
      .filter((parent) => names.has(parent))
      .map((parent) => `  ${names.get(parent)} --> ${names.get(id)}`),
  );
  const used = new Set<Look>();
  const nodes = shown.map((revision) => {
    const look = lookOf(revision, steps.get(revision.id) ?? []);
    used.add(look);
    return `  ${names.get(revision.id)}["${label(revision, steps.get(revision.id) ?? [])}"]:::${look}`;
  });
  const left = near.length - shown.length;
  return [
    "```mermaid",
    "flowchart TD",
    ...nodes,
    ...edges.slice(0, mostEdges),
    ...[...used].map((look) => `  classDef ${look} ${looks[look]}`),
    "```",
    ...(left > 0 ? ["", `${left} more revisions are not in the picture.`] : []),
  ].join("\n");
}

function stepsByRevision(steps: readonly Step[]): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  for (const step of steps) {
    const own = found.get(step.revision);
    if (own === undefined) found.set(step.revision, [step]);
    else own.push(step);
  }
  return found;
}

function lookOf({ judged, state }: RevisionReport, steps: readonly Step[]): Look {
  if (state === "deleted") return "deleted";
  if (!judged) return "old";
  if (steps.some(({ status }) => status === "failed")) return "failed";
  const settled =
    steps.length > 0 && steps.every(({ status }) => status === "proved" || status === "skipped");
  return settled ? "proved" : "open";
}

function label({ id, message, state, judged }: RevisionReport, steps: readonly Step[]): string {
  const told = steps.map(({ direction, status }) => `${direction} ${status}`).join(", ");
  const lines = [
    clip(id, 60),
    clip(message.split("\n")[0] ?? "", 80),
    judged ? [state, told].filter((part) => part !== "").join(" – ") : state === "deleted" ? state : "",
  ];
  return lines
    .map(mermaidLabel)
    .filter((line) => line !== "")
    .join("<br>");
}
