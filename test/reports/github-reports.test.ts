import { describe, expect, test } from "vitest";
import { annotations } from "../../src/reports/annotations";
import { jobSummary } from "../../src/reports/job-summary";
import { outputs } from "../../src/reports/outputs";
import { repositoryPath } from "../../src/reports/place";
import { commentMarker, pullRequestComment } from "../../src/reports/pull-request-comment";
import { revisionGraph } from "../../src/reports/revision-graph";
import { sarifReport } from "../../src/reports/sarif";
import { aFinding, aReport, aRevision, aStep } from "./report";

const key = { job: "gate", workingDirectory: "packages/backend", leg: "" };

describe("annotations", () => {
  test("the worst first, with paths from the repository's root", () => {
    const findings = [
      aFinding({ severity: "note", rule: "c", file: undefined }),
      aFinding({ severity: "error", rule: "a" }),
      aFinding({ severity: "warning", rule: "b", file: "../shared/x.py", seen: "", why: "", do: "" }),
      aFinding({ severity: "error", rule: "no", suppressed: true }),
    ];
    expect(annotations(aReport({ findings }), "packages/backend")).toMatchObject([
      {
        level: "error",
        title: "a",
        file: "packages/backend/migrations/versions/41ab_orders_status.py",
        line: 31,
        column: 5,
      },
      { level: "warning", title: "b", file: "packages/shared/x.py", message: findings[2]?.what },
      { level: "notice", title: "c", file: undefined, line: undefined, column: undefined },
    ]);
  });

  test.each([
    [10, 10, undefined],
    [11, 10, "2 more findings of severity warning"],
    [500, 10, "491 more findings of severity warning"],
  ])("%d of a level make %d", (count, shown, last) => {
    const findings = Array.from({ length: count }, () => aFinding({ severity: "warning" }));
    const made = annotations(aReport({ findings }), "");
    expect(made).toHaveLength(shown);
    if (last !== undefined) expect(made.at(-1)?.message).toContain(last);
  });

  test("long evidence leaves room for the advice", () => {
    const [annotation] = annotations(aReport({ findings: [aFinding({ seen: "x".repeat(10_000) })] }), "");
    expect(annotation?.message).toContain("Do: Add sa.Enum");
  });
});

test.each([
  ["packages/backend", "migrations/a.py", "packages/backend/migrations/a.py"],
  ["", "migrations/a.py", "migrations/a.py"],
  ["packages/backend", "../shared/a.py", "packages/shared/a.py"],
  ["packages/backend", "../../../a.py", undefined],
  ["", "/etc/passwd", undefined],
  ["a", "migrations\\a.py", "a/migrations/a.py"],
])("in %s the file %s is %s", (folder, file, path) => {
  expect(repositoryPath(folder, file)).toBe(path);
});

describe("the pull-request comment", () => {
  test("is the whole of this", async () => {
    await expect(pullRequestComment(aReport(), key, "migration-gate")).toMatchFileSnapshot(
      "comment.golden.md",
    );
  });

  test("sheds detail, never the marker, the verdict or the counts", () => {
    const findings = Array.from({ length: 300 }, (_, index) =>
      aFinding({
        rule: `rule-${index}`,
        seen: "s".repeat(5000),
        why: "w".repeat(5000),
        do: "d".repeat(5000),
      }),
    );
    const body = pullRequestComment(aReport({ findings }), key, "migration-gate");
    expect(body.length).toBeLessThanOrEqual(65_000);
    expect(body.startsWith(`${commentMarker(key)}\n### ❌ migration-gate failed\n`)).toBe(true);
    expect(body).toContain("Findings: 300 errors.");
    expect(body).toMatch(/\n\d+ more findings are in the job's log\.\n/);
  });

  test.each([
    [{ job: "gate", workingDirectory: "", leg: "" }, "gate:."],
    [{ job: "gate", workingDirectory: "a b", leg: "" }, "gate:a%20b"],
    [{ job: "my-gate", workingDirectory: "-->", leg: "" }, "my%2Dgate:%2D%2D%3E"],
  ])("%j has a key of its own", (given, expected) => {
    expect(commentMarker(given)).toBe(`<!-- migration-gate:report:v1 key=${expected} -->`);
  });

  test("legs of a matrix have keys of their own", () => {
    const legs = ['{"pg":16}', '{"pg":17}', ""].map((leg) => commentMarker({ ...key, leg }));
    expect(new Set(legs).size).toBe(3);
  });
});

test("the job summary is the whole of this", async () => {
  const statements = [
    {
      sql: "ALTER TABLE orders ADD COLUMN status order_status",
      milliseconds: 1500,
      rows: undefined,
      locks: [
        { relation: "public.users", mode: "ShareLock" },
        { relation: "public.orders", mode: "AccessExclusiveLock" },
      ],
      rewrites: [],
      replay: undefined,
    },
  ];
  const suppressed = aFinding({
    rule: "ban-drop-column",
    suppressed: true,
    suppression: "migration-gate.yml:3: unmapped since v1.8",
  });
  const report = aReport({
    findings: [aFinding(), suppressed],
    steps: [
      aStep({ statements }),
      aStep({ direction: "downgrade", status: "failed", reason: "it leaves a type" }),
    ],
  });
  await expect(jobSummary(report, "packages/backend", "migration-gate")).toMatchFileSnapshot(
    "summary.golden.md",
  );
});

describe("the picture of the revisions", () => {
  test("shows the new ones and their neighbours only", () => {
    const revisions = Array.from({ length: 2000 }, (_, index) =>
      aRevision({
        id: `r${index}`,
        parents: index === 0 ? [] : [`r${index - 1}`],
        message: "",
        state: index >= 1998 ? "new" : "unchanged",
        judged: index >= 1998,
      }),
    );
    const steps = ["r1998", "r1999"].map((revision) => aStep({ revision }));
    expect(revisionGraph(aReport({ revisions, steps }))).toBe(
      [
        "```mermaid",
        "flowchart TD",
        '  r0["r1997"]:::old',
        '  r1["r1998<br>new #8211; upgrade proved"]:::proved',
        '  r2["r1999<br>new #8211; upgrade proved"]:::proved',
        "  r0 --> r1",
        "  r1 --> r2",
        "  classDef old fill:#f6f8fa,stroke:#8c959f,color:#1f2328",
        "  classDef proved fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
        "```",
      ].join("\n"),
    );
  });

  test("of a history that is all new is cut to its newest, and says so", () => {
    const revisions = Array.from({ length: 2000 }, (_, index) =>
      aRevision({ id: `r${index}`, parents: index === 0 ? [] : [`r${index - 1}`] }),
    );
    const picture = revisionGraph(aReport({ revisions, steps: [] }));
    expect(picture.match(/:::open/g)).toHaveLength(60);
    expect(picture).toContain("r1999");
    expect(picture).toContain("1940 more revisions are not in the picture.");
  });

  test("is nothing where nothing changed", () => {
    const revisions = [aRevision({ state: "unchanged", judged: false })];
    expect(revisionGraph(aReport({ revisions }))).toBe("");
  });
});

interface SarifResult {
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly suppressions: readonly object[];
  readonly ruleIndex: number;
}

function sarif(report: Parameters<typeof sarifReport>[0]) {
  const log = JSON.parse(sarifReport(report, { workingDirectory: "packages/backend", version: "1.0.0" })) as {
    readonly runs: readonly [
      {
        readonly results: readonly SarifResult[];
        readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
        readonly invocations: readonly [{ readonly toolExecutionNotifications: readonly object[] }];
      },
    ];
  };
  return log.runs[0];
}

describe("SARIF", () => {
  test("a fingerprint stays when lines move, and differs between two of a kind", () => {
    const fingerprints = (...findings: readonly Parameters<typeof aFinding>[0][]) =>
      sarif(aReport({ findings: findings.map(aFinding) })).results.map(
        ({ partialFingerprints }) => partialFingerprints["migrationGate/v1"],
      );
    expect(fingerprints({ line: 400, column: 1 })).toEqual(fingerprints({ line: 31 }));
    expect(fingerprints({ object: "table a" })).not.toEqual(fingerprints({ object: "table b" }));
    expect(new Set(fingerprints({}, {}, { line: 9 })).size).toBe(3);
  });

  test("suppressed findings say by what", () => {
    const findings = [
      aFinding(),
      aFinding({ suppressed: true, suppression: "line 3: unmapped since v1.8" }),
      aFinding({ suppressed: true, suppression: "migration-gate.yml:3: unmapped since v1.8" }),
    ];
    expect(sarif(aReport({ findings })).results.map(({ suppressions }) => suppressions)).toEqual([
      [],
      [{ kind: "inSource", justification: "line 3: unmapped since v1.8" }],
      [{ kind: "external", justification: "migration-gate.yml:3: unmapped since v1.8" }],
    ]);
  });

  test("shows what GitHub shows, and says what it left out", () => {
    const findings = Array.from({ length: 6000 }, (_, index) => aFinding({ rule: `rule-${index % 3}` }));
    const run = sarif(aReport({ findings }));
    expect(run.results).toHaveLength(5000);
    expect(run.tool.driver.rules.map(({ id }) => id)).toEqual(["rule-0", "rule-1", "rule-2"]);
    expect(run.results.slice(0, 4).map(({ ruleIndex }) => ruleIndex)).toEqual([0, 1, 2, 0]);
    expect(run.invocations[0].toolExecutionNotifications).toHaveLength(1);
  });
});

test("outputs: counts without the suppressed, ids by state, heads", () => {
  const revisions = [
    aRevision({ id: "a", state: "unchanged" }),
    aRevision({ id: "b", parents: ["a"], state: "edited" }),
    aRevision({ id: "c", parents: ["b"] }),
    aRevision({ id: "d", parents: ["b"] }),
    aRevision({ id: "e", parents: ["d"], state: "deleted" }),
    aRevision({ id: "f g\nverdict=passed", parents: ["d"] }),
  ];
  const findings = [
    aFinding(),
    aFinding({ severity: "warning" }),
    aFinding({ severity: "note" }),
    aFinding({ suppressed: true }),
  ];
  const files = { report: "/tmp/report.json", sarif: undefined };
  expect(outputs(aReport({ findings, revisions }), files)).toEqual({
    status: "",
    "pending-revisions": "",
    "unknown-revisions": "",
    state: "",
    "applied-revisions": "",
    backup: "",
    record: "",
    verdict: "failed",
    findings: "3",
    errors: "1",
    warnings: "1",
    "report-json": "/tmp/report.json",
    "sarif-file": "",
    "head-revision": "c",
    "new-revisions": "c d",
    "edited-revisions": "b",
    "deleted-revisions": "e",
  });
  const none = Object.values(outputs(undefined, { report: undefined, sarif: undefined }));
  expect(none.every((value) => value === "")).toBe(true);
});
