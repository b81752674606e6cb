import { createHash } from "node:crypto";
import type { Finding, Severity } from "../model/finding";
import type { CheckReport } from "../model/verdict";
import { clip } from "./escaping";
import { repositoryPath } from "./place";
import { visible } from "./visible";

/** GitHub shows the first 5,000 results of a run and refuses more than 25,000 (documentation, 2026-11). */
const mostResults = 5_000;
/** GitHub takes 10 MB, compressed; this is before compression. */
const mostBytes = 20 * 1024 * 1024;
const messageLength = 4_000;

export interface SarifContext {
  /** Relative to the repository's root. */
  readonly workingDirectory: string;
  /** This program's version. */
  readonly version: string;
}

const levels: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", note: "note" };

/**
 * The findings as SARIF 2.1.0 (OASIS), for code scanning. Suppressed ones are there with their reason. A fingerprint
 * does not change when lines above a finding come or go.
 */
export function sarifReport(report: CheckReport, context: SarifContext): string {
  for (let most = mostResults; ; most = Math.floor(most / 2)) {
    const text = sarifOf(report, context, most);
    if (Buffer.byteLength(text) <= mostBytes || most === 0) return text;
  }
}

function sarifOf(report: CheckReport, context: SarifContext, most: number): string {
  // Worst first, as the report has them; what does not count comes last, so that it is shed first.
  const ordered = [...report.findings].sort(
    (left, right) => Number(left.suppressed) - Number(right.suppressed),
  );
  const shown = ordered.slice(0, most);
  const rules = [...new Map(shown.map((finding) => [finding.rule, finding])).values()];
  const ruleIndex = new Map(rules.map(({ rule }, index) => [rule, index]));
  const fallback = report.revisions.find(({ judged }) => judged)?.file ?? "alembic.ini";
  const files = new Map(report.revisions.map(({ id, file }) => [id, file]));
  const seen = new Map<string, number>();
  const results = shown.map((finding) => {
    const fingerprint = fingerprintOf(finding);
    const number = (seen.get(fingerprint) ?? 0) + 1;
    seen.set(fingerprint, number);
    const file = finding.file ?? files.get(finding.revision ?? "") ?? fallback;
    return {
      ruleId: text(finding.rule, 255),
      ruleIndex: ruleIndex.get(finding.rule),
      level: levels[finding.severity],
      message: { text: messageOf(finding) },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: uriOf(context.workingDirectory, file), uriBaseId: "%SRCROOT%" },
            region: {
              startLine: Math.max(1, finding.line ?? 1),
              ...(finding.column === undefined ? {} : { startColumn: Math.max(1, finding.column) }),
            },
          },
          ...(finding.object === undefined
            ? {}
            : { logicalLocations: [{ fullyQualifiedName: text(finding.object, 1_000) }] }),
        },
      ],
      partialFingerprints: { "migrationGate/v1": `${fingerprint}:${number}` },
      suppressions: finding.suppressed
        ? [
            {
              kind: /\.ya?ml\b/.test(finding.suppression ?? "") ? "external" : "inSource",
              justification: text(finding.suppression ?? "", 1_000),
            },
          ]
        : [],
    };
  });
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "migration-gate",
            semanticVersion: context.version,
            rules: rules.map((finding) => ruleOf(finding)),
          },
        },
        automationDetails: { id: `migration-gate/${uriOf("", context.workingDirectory || ".")}/` },
        columnKind: "utf16CodeUnits",
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications:
              shown.length === ordered.length
                ? []
                : [
                    {
                      level: "warning",
                      message: {
                        text: `${ordered.length - shown.length} findings were left out: GitHub shows ${mostResults}.`,
                      },
                    },
                  ],
          },
        ],
        results,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf(finding: Finding): object {
  const name = finding.rule.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  const words = finding.rule.replaceAll("-", " ");
  return {
    id: text(finding.rule, 255),
    name: text(name, 255),
    shortDescription: { text: text(words, 1_024) },
    fullDescription: { text: text(finding.why === "" ? words : finding.why, 1_024) },
    help: { text: text(finding.why === "" ? words : finding.why, messageLength) },
    defaultConfiguration: { level: levels[finding.severity] },
    properties: { tags: ["database", "migration"] },
  };
}

function messageOf({ what, seen, why, do: advice }: Finding): string {
  const parts = [what, seen, why, advice === "" ? "" : `Do: ${advice}`].filter((part) => part !== "");
  // In a message `[text](1)` is a link and `{0}` an argument (SARIF 3.11.5 and 3.11.6).
  return parts
    .map((part) =>
      text(part, messageLength / 4)
        .replace(/[[\]\\]/g, "\\$&")
        .replace(/[{}]/g, "$&$&"),
    )
    .join("\n");
}

/** What a finding is, without where its lines are now. */
function fingerprintOf({ rule, revision, direction, object, file, what }: Finding): string {
  const parts = [rule, revision, direction, file, object ?? what.replace(/\d+/g, "0")];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** A relative URI reference: a colon or a leading slash would make it something else. */
function uriOf(workingDirectory: string, file: string): string {
  const path = repositoryPath(workingDirectory, file) ?? file.slice(0, 200).replace(/^(?:\.*\/)+/, "");
  return path
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .split("/")
    .map((part) => encodeURIComponent(part))
    .join("/");
}

function text(part: string, most: number): string {
  return clip(visible(clip(part, most)), most);
}
