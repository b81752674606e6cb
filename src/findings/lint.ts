import type { Finding } from "../model/finding";
import type { Operation, RevisionBody } from "../model/operation";
import type { Revision } from "../model/revision";
import type { Graph } from "../revisions/graph";
import { contextOf } from "../rules/context";
import { rules } from "../rules/index";
import type { Objection, Rule } from "../rules/rule";
import { inSql } from "./advice";

export interface LintContext {
  readonly graph: Graph;
  readonly judged: ReadonlySet<string>;
  /** The revision down to which downgrades are supported; undefined for all. */
  readonly floor: string | undefined;
  bodyOf(revision: Revision): RevisionBody;
}

/** What the lint rules object to in revisions under judgement, and what could not be read; no database is asked. */
export function lintFindings({ graph, judged, floor, bodyOf }: LintContext): Finding[] {
  const floored = floor === undefined ? new Set<string>() : graph.ancestors(floor);
  const revisions = graph.revisions.filter(({ id }) => judged.has(id));
  const all = Object.entries<Rule>(rules);
  return revisions.flatMap((revision) => {
    const context = contextOf(revision, bodyOf(revision), !floored.has(revision.id));
    const findings = all.flatMap(([id, rule]) =>
      rule.check(context).map((objection) => lintFinding(id, rule, objection, revision)),
    );
    return [...once(findings), ...notAnalysed(revision, context.upgrade)];
  });
}

function lintFinding(id: string, rule: Rule, objection: Objection, revision: Revision): Finding {
  const direction = id === "require-downgrade" ? "downgrade" : "upgrade";
  const { file, line, column } = objection.at;
  return {
    rule: id,
    severity: rule.severity,
    revision: revision.id,
    direction,
    file,
    line,
    column,
    object: objection.object,
    what: objection.what,
    where: `revision ${revision.id}, ${direction}`,
    seen: "The revision file.",
    why: objection.why ?? rule.why,
    do:
      revision.sql === undefined ? (objection.do ?? rule.do) : inSql(objection.do ?? rule.doInSql ?? rule.do),
    suppressed: false,
    suppression: undefined,
  };
}

/** A loop says the same of the same object once. */
function once(findings: readonly Finding[]): Finding[] {
  const byText = new Map(
    findings.map((finding) => [`${finding.rule} ${finding.line} ${finding.what}`, finding]),
  );
  return [...byText.values()];
}

const shownPlaces = 5;

/** One note a revision: what runs there is seen by the proof, and judged by no rule. */
function notAnalysed(revision: Revision, upgrade: readonly Operation[]): Finding[] {
  const unread = upgrade.flatMap((operation) => (operation.kind === "unknown" ? [operation] : []));
  const [first] = unread;
  if (first === undefined) return [];
  const places = unread
    .slice(0, shownPlaces)
    .map(({ origin, reason }) => `line ${origin.line}: ${reason}`)
    .join("\n");
  const more = unread.length - shownPlaces;
  return [
    {
      rule: "not-analysed",
      severity: "note",
      revision: revision.id,
      direction: "upgrade",
      file: first.origin.file,
      line: first.origin.line,
      column: first.origin.column,
      object: undefined,
      what: `A part of the upgrade of revision ${revision.id} is known only when it runs, and no lint rule has judged it.`,
      where: `revision ${revision.id}, upgrade`,
      seen: more > 0 ? `${places}\nand ${more} more` : places,
      why: "The proof covers it; a lock or a rewrite that only a large table shows does not fail there.",
      do: "Write names and SQL as constants where you can.",
      suppressed: false,
      suppression: undefined,
    },
  ];
}
