import { createHash } from "node:crypto";
import type { CheckReport } from "../model/verdict";
import { clip, code } from "./escaping";
import {
  type Detail,
  document,
  findingsSection,
  overview,
  slowSteps,
  stepsTable,
  suppressedSection,
} from "./markdown";
import { revisionGraph } from "./revision-graph";
import { firstThatFits } from "./shedding";

/** GitHub refuses 65,536 characters; the rest is for what it may count differently. */
export const commentLength = 65_000;

/** What tells one comment of a pull request from another. */
export interface CommentKey {
  readonly job: string;
  /** Relative to the repository's root. */
  readonly workingDirectory: string;
  /** The leg of a matrix, e.g. as JSON; empty without a matrix. */
  readonly leg: string;
}

const versions: readonly (Detail & { readonly graph: boolean })[] = [
  { findings: 50, text: 2000, rows: 50, graph: true },
  { findings: 25, text: 1000, rows: 50, graph: false },
  { findings: 20, text: 300, rows: 20, graph: false },
  { findings: 5, text: 100, rows: 0, graph: false },
  { findings: 0, text: 0, rows: 0, graph: false },
];

/** The first line of the comment, by which the next run finds it. The key has letters, digits and `._/%` only. */
export function commentMarker({ job, workingDirectory, leg }: CommentKey): string {
  const parts = [
    job,
    workingDirectory === "" ? "." : workingDirectory,
    ...(leg === "" ? [] : [fingerprint(leg)]),
  ];
  return `<!-- migration-gate:report:v1 key=${parts.map(keyPart).join(":")} -->`;
}

/** The comment's whole body. Always below GitHub's limit, always with its marker on the first line. */
export function pullRequestComment(report: CheckReport, key: CommentKey, title: string): string {
  const { workingDirectory } = key;
  const version = (detail: (typeof versions)[number]) => () =>
    comment(
      key,
      document([
        overview(report, title),
        findingsSection(report, workingDirectory, detail),
        detail.rows > 0 ? folded("What was proved", stepsTable(report, detail)) : "",
        detail.graph ? folded("Revisions", revisionGraph(report)) : "",
        detail.rows > 0 ? slowSteps(report, detail) : "",
        detail.rows > 0 ? suppressedSection(report, workingDirectory, detail) : "",
      ]),
    );
  return firstThatFits(versions.map(version), commentLength, (text) => text.length);
}

/** A comment of this key with another text, which must be Markdown that is safe to show. */
export function comment(key: CommentKey, text: string): string {
  const place = key.workingDirectory === "" ? "" : `Project ${code(clip(key.workingDirectory, 200))}. `;
  return `${commentMarker(key)}\n${text}\n<sub>${place}This comment is written over by each run.</sub>\n`;
}

function folded(summary: string, text: string): string {
  return text === "" ? "" : `<details><summary>${summary}</summary>\n\n${text}\n\n</details>`;
}

/** Percent-encoded without what could end a comment: `-` is encoded too. Long names keep their start and a hash. */
function keyPart(text: string): string {
  const encoded = encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"))
    .replace(/%2F/g, "/")
    .replace(/[^A-Za-z0-9._/%]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return encoded.length <= 100 ? encoded : `${encoded.slice(0, 80)}.${fingerprint(text)}`;
}

function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
