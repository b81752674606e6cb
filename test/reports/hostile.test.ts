import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CheckReport } from "../../src/model/verdict";
import { annotationLength, annotations } from "../../src/reports/annotations";
import { jobSummary, summaryBytes } from "../../src/reports/job-summary";
import { jsonReport } from "../../src/reports/json";
import { outputs } from "../../src/reports/outputs";
import { commentLength, commentMarker, pullRequestComment } from "../../src/reports/pull-request-comment";
import { sarifReport } from "../../src/reports/sarif";
import { paintFor } from "../../src/reports/terminal";
import { textReport } from "../../src/reports/text";
import { cpuSeconds } from "../support/cpu";
import { hostileReport, hostileTexts } from "./report";

const key = { job: "gate", workingDirectory: "packages/backend", leg: "" };
const plain = paintFor(process.stdout, { NO_COLOR: "1" });

interface Made {
  readonly summary: string;
  readonly comment: string;
  readonly sarif: string;
  readonly text: string;
}

function make(report: CheckReport): Made {
  return {
    summary: jobSummary(report, "packages/backend", "migration-gate"),
    comment: pullRequestComment(report, key, "migration-gate"),
    sarif: sarifReport(report, { workingDirectory: "packages/backend", version: "1.0.0" }),
    text: textReport(report, plain),
  };
}

const control = /[^\P{Cc}\t\n]|[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/u;

/** Markdown in which nothing but our own words and tags can be markup. */
function expectTame(markdown: string): void {
  expect(markdown).not.toMatch(control);
  // Outside of <pre> and the Mermaid fence every special character of foreign text is an entity.
  const fences = markdown.match(/^```.*$/gm) ?? [];
  expect(fences.filter((line) => line !== "```mermaid" && line !== "```")).toEqual([]);
  expect(fences.length).toBeLessThanOrEqual(2);
  const tags = markdown.match(/<[^>]*>/g) ?? [];
  const own = /^<(?:\/?(?:code|pre|details|summary|sub|br)|!-- migration-gate:report:v1 key=[\w./%:]+ --)>$/;
  expect(tags.filter((tag) => !own.test(tag))).toEqual([]);
  expect(markdown.match(/<!--/g) ?? []).toHaveLength(markdown.startsWith("<!--") ? 1 : 0);
  const prose = markdown
    .replace(/<pre>.*?<\/pre>/gs, "")
    .replace(/^```mermaid\n.*?^```$/gms, "")
    .replace(/<code>.*?<\/code>/g, "")
    .replace(/^<!--.*/, "");
  expect(prose).not.toMatch(/@\w/);
  expect(prose).not.toMatch(/&#64;[\p{L}\p{N}_]/u);
  expect(prose).not.toMatch(/(?<!&)#\d/);
  expect(prose).not.toMatch(/&#35;\d/);
  expect(prose).not.toMatch(/https?:|www\.\w|\]\(/);
  expect(markdown).not.toMatch(/<code>[^<]*\n/);
  for (const block of markdown.match(/<pre>.*?<\/pre>/gs) ?? []) {
    expect(block.slice(5, -6)).not.toMatch(/[<>]/);
  }
  for (const line of prose.split("\n").filter((line) => line.startsWith("|"))) {
    expect([4, 5]).toContain(line.split("|").length - 1);
  }
}

function expectTameMermaid(markdown: string): void {
  const [, chart = ""] = /^```mermaid\n(.*?)^```$/ms.exec(markdown) ?? [];
  const line =
    /^(?:flowchart TD| {2}r\d+\["[\p{L}\p{N} _.,#;<>-]*"\]:::\w+| {2}r\d+ --> r\d+| {2}classDef \w+ [\w#:,-]+)$/u;
  expect(chart.split("\n").filter((part) => part !== "" && !line.test(part))).toEqual([]);
}

/** As a runner reads a log: no line may be a command. */
function commandsIn(log: string): string[] {
  return log.split(/\r\n|\r|\n/).filter((line) => /^\s*::/.test(line) || line.includes("##["));
}

function check(report: CheckReport): void {
  const made = make(report);
  for (const markdown of [made.summary, made.comment]) {
    expectTame(markdown);
    expectTameMermaid(markdown);
  }
  expect(Buffer.byteLength(made.summary)).toBeLessThanOrEqual(summaryBytes);
  expect(made.comment.length).toBeLessThanOrEqual(commentLength);
  expect(made.comment.startsWith(`${commentMarker(key)}\n`)).toBe(true);
  expect(commandsIn(made.text)).toEqual([]);
  expect(made.text).not.toMatch(control);
  const all = annotations(report, "packages/backend");
  for (const level of ["error", "warning", "notice"]) {
    expect(all.filter((annotation) => annotation.level === level).length).toBeLessThanOrEqual(10);
  }
  for (const { message, title, file } of all) {
    expect(message.length).toBeLessThanOrEqual(annotationLength);
    expect(commandsIn(message)).toEqual([]);
    expect(title).not.toMatch(/\n/);
    expect(file ?? "").not.toMatch(/^\.\.\/|^\//);
  }
  const sarif = JSON.parse(made.sarif) as SarifLog;
  for (const result of sarif.runs[0].results) {
    const [{ physicalLocation }] = result.locations;
    expect(physicalLocation.artifactLocation.uri).toMatch(/^[\w.%!'()*~-][\w/.%!'()*~-]*$/);
    expect(physicalLocation.artifactLocation.uri).not.toMatch(/^\.\.\//);
    expect(physicalLocation.region.startLine).toBeGreaterThan(0);
    expect(result.message.text).not.toMatch(/(?<!\\)\[/);
  }
  for (const value of Object.values(outputs(report, { report: undefined, sarif: undefined }))) {
    expect(value).not.toMatch(/[\r\n]/);
  }
  expect(JSON.parse(jsonReport(report))).toMatchObject({ version: 1 });
}

interface SarifLog {
  readonly runs: readonly [
    {
      readonly results: readonly {
        readonly message: { readonly text: string };
        readonly locations: readonly [
          {
            readonly physicalLocation: {
              readonly artifactLocation: { readonly uri: string };
              readonly region: { readonly startLine: number };
            };
          },
        ];
      }[];
    },
  ];
}

describe("hostile text in every field", () => {
  test.each(Object.entries(hostileTexts))("%s", (_, text) => check(hostileReport(text)));

  test("any mixture of such texts and others", () => {
    const pieces = fc.oneof(
      fc.constantFrom(...Object.values(hostileTexts)),
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: fc.constantFrom(..."<>&|`*_[]()#@!:%-~=\"'\\\n\r\t 0aé"), maxLength: 40 }),
    );
    const texts = fc.array(pieces, { maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => check(hostileReport(text))),
      { numRuns: 200 },
    );
  });

  test("any key is a marker of one line that nothing can end early", () => {
    const word = fc.string({ unit: "binary", maxLength: 200 });
    fc.assert(
      fc.property(word, word, word, (job, workingDirectory, leg) => {
        const marker = commentMarker({ job, workingDirectory, leg });
        expect(marker).toMatch(/^<!-- migration-gate:report:v1 key=[\w./%:]+ -->$/);
      }),
    );
  });
});

describe("limits", () => {
  test.each([
    ["10,000 findings", hostileReport("<&|@octocat #1 é𝄞>".repeat(20), 10_000)],
    ["a message of 1 MB", hostileReport("<é\u0000𝄞".repeat(200_000), 2)],
    [
      "many findings of 10 kB, half of them suppressed",
      suppressedHalf(hostileReport("a".repeat(10_000), 500)),
    ],
  ])("%s", (_, report) => {
    expect(cpuSeconds(() => check(report))).toBeLessThan(60);
  });
});

function suppressedHalf(report: CheckReport): CheckReport {
  const findings = report.findings.map((finding, index) => ({ ...finding, suppressed: index % 2 === 0 }));
  return { ...report, findings };
}
