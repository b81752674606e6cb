import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { suppress } from "../../src/findings/suppressions";
import type { Finding } from "../../src/model/finding";
import type { Policy } from "../../src/model/policy";
import { readRevisionFile } from "../../src/tools/alembic/revision-file";

beforeAll(() => loadModule());

const file = "versions/r.py";

function finding(rule: string, line: number, more: Partial<Finding> = {}): Finding {
  return {
    rule,
    severity: "error",
    revision: "r",
    direction: "upgrade",
    file,
    line,
    column: 5,
    object: undefined,
    what: "",
    where: "",
    seen: "",
    why: "",
    do: "",
    suppressed: false,
    suppression: undefined,
    ...more,
  };
}

const noPolicy: Policy = { file: undefined, rules: new Map(), accept: [] };

/** `<rule>:<line>` with the reason where it is suppressed. */
function shown({ rule, line, suppressed, suppression, severity }: Finding): string {
  return `${severity === "error" ? "" : `${severity} `}${rule}:${line}${suppressed ? ` (${suppression})` : ""}`;
}

/** What becomes of findings of these rules at each line that says `op.`, in a file with these lines. */
function judged(lines: readonly string[], rule = "ban-drop-column", proofRan = true): string[] {
  const { body } = readRevisionFile(file, Buffer.from(lines.join("\n")));
  const findings = lines.flatMap((line, index) =>
    /op\.drop|DROP/.test(line) ? [finding(rule, index + 1)] : [],
  );
  const remarks = body().remarks.map((remark) => ({ revision: "r", remark }));
  return suppress(findings, {
    remarks,
    policy: noPolicy,
    judged: new Set(["r"]),
    revisions: new Set(["r"]),
    proofRan,
    compared: true,
  }).map(shown);
}

const top = [
  '"""text"""',
  "from alembic import op",
  'revision = "r"',
  "down_revision = None",
  "def upgrade():",
];
const allow = "# migration-gate: allow ban-drop-column because it is unmapped";

const cases: Readonly<Record<string, readonly [lines: readonly string[], expected: readonly string[]]>> = {
  "beside the statement": [
    [...top, `    op.drop_column("t", "a")  ${allow}`, '    op.drop_column("t", "b")'],
    ["ban-drop-column:6 (it is unmapped)", "ban-drop-column:7"],
  ],
  "right above it, other comments between": [
    [
      ...top,
      `    ${allow}`,
      "    # and more",
      '    op.drop_column("t", "a")',
      '    op.drop_column("t", "b")',
    ],
    ["ban-drop-column:8 (it is unmapped)", "ban-drop-column:9"],
  ],
  "inside its brackets": [
    [...top, "    op.drop_column(", `        ${allow}`, '        "t", "a",', "    )", '    op.drop("b")'],
    ["ban-drop-column:6 (it is unmapped)", "ban-drop-column:10"],
  ],
  "above a block": [
    [
      ...top,
      `    ${allow}`,
      '    with op.batch_alter_table("t") as b:',
      '        b.op.drop("a")',
      '        b.op.drop("c")',
    ],
    ["ban-drop-column:8 (it is unmapped)", "ban-drop-column:9 (it is unmapped)"],
  ],
  "above a function": [
    [
      ...top.slice(0, 4),
      allow,
      "def upgrade():",
      '    op.drop_column("t", "a")',
      '    op.drop_column("t", "b")',
    ],
    ["ban-drop-column:7", "ban-drop-column:8"].map((place) => `${place} (it is unmapped)`),
  ],
  "above a condition: its header only": [
    [...top, `    ${allow}`, "    if True:", '        op.drop_column("t", "a")'],
    ["ban-drop-column:8", "warning unused-suppression:6"],
  ],
  "beside the header of a loop": [
    [...top, `    for name in names:  ${allow}`, '        op.drop_column("t", name)'],
    ["ban-drop-column:7", "warning unused-suppression:6"],
  ],
  "in a condition": [
    [...top, "    if True:", `        ${allow}`, '        op.drop("a")', '        op.drop("b")'],
    ["ban-drop-column:8 (it is unmapped)", "ban-drop-column:9"],
  ],
  "in a case, and in a function with a decorator": [
    [
      ...top.slice(0, 4),
      "@retry",
      "def upgrade():",
      "    match kind:",
      "        case 1:",
      `            ${allow}`,
      '            op.drop("a")',
      '    op.drop("b")',
    ],
    ["ban-drop-column:10 (it is unmapped)", "ban-drop-column:11"],
  ],
  "at the top of the file": [
    [allow, ...top, '    op.drop_column("t", "a")'],
    ["ban-drop-column:7 (it is unmapped)"],
  ],
  "between docstring and imports": [
    [top[0]!, allow, ...top.slice(1), '    op.drop_column("t", "a")'],
    ["ban-drop-column:7 (it is unmapped)"],
  ],
  "above another statement": [
    [...top, `    ${allow}`, "    print()", '    op.drop_column("t", "a")'],
    ["ban-drop-column:8", "warning unused-suppression:6"],
  ],
  "with a blank line between": [
    [...top, `    ${allow}`, "", '    op.drop_column("t", "a")'],
    ["ban-drop-column:8", "warning unused-suppression:6"],
  ],
  "with two rules, one of them for nothing": [
    [...top, '    op.drop("a")  # migration-gate: allow ban-drop-column, ban-drop-table because of it'],
    ["ban-drop-column:6 (of it)", "warning unused-suppression:6"],
  ],
  "without a reason": [
    [...top, '    op.drop("a")  # migration-gate: allow ban-drop-column'],
    ["ban-drop-column:6", "warning suppression-without-reason:6"],
  ],
  "with an empty reason": [
    [...top, '    op.drop("a")  # migration-gate: allow ban-drop-column because  '],
    ["ban-drop-column:6", "warning suppression-without-reason:6"],
  ],
  "without a rule": [
    [...top, '    op.drop("a")  # migration-gate: allow because why not'],
    ["ban-drop-column:6", "warning unknown-suppression:6"],
  ],
  "of a rule that is not there": [
    [...top, '    op.drop("a")  # migration-gate: allow ban-drop-colum because why not'],
    ["ban-drop-column:6", "warning unknown-suppression:6"],
  ],
  "of what must never be accepted": [
    [...top, '    op.drop("a")  # migration-gate: allow not-proved because why not'],
    ["ban-drop-column:6", "warning suppression-not-allowed:6"],
  ],
  "with a word that is none": [
    [...top, '    op.drop("a")  # migration-gate: alow ban-drop-column because why not'],
    ["ban-drop-column:6", "warning unknown-suppression:6"],
  ],
  "in SQL": [
    [
      ...top,
      '    op.execute("""',
      "    DROP TABLE a;",
      "    -- migration-gate: allow ban-drop-column because it is unmapped",
      "    DROP TABLE b;",
      "    DROP TABLE c -- migration-gate: allow ban-drop-column because of that",
      '    """)',
    ],
    ["ban-drop-column:7", "ban-drop-column:9 (it is unmapped)", "ban-drop-column:10 (of that)"],
  ],
};

/** The columns at which each statement of a one-line `DROP` is accepted. */
const onOneLine: readonly (readonly [what: string, sql: string, expected: readonly string[]])[] = [
  [
    "above two statements",
    '"""-- migration-gate: allow x because y\n  DROP TABLE a; DROP TABLE b;"""',
    ["a"],
  ],
  ["between two statements", '"DROP TABLE a; /* migration-gate: allow x because y */ DROP TABLE b"', ["b"]],
  [
    "behind two statements",
    '"""DROP TABLE a; DROP TABLE b; -- migration-gate: allow x because y\n"""',
    ["b"],
  ],
  [
    "before one that the proof speaks of",
    '"/* migration-gate: allow x because y */ DROP TABLE a"',
    ["a", "call"],
  ],
];

test.each(onOneLine)("a suppression in SQL %s", (_, sql, expected) => {
  const rule = "ban-drop-table";
  const text = [...top, `    op.execute(${sql.replace("allow x", `allow ${rule}`)})`].join("\n");
  const { body } = readRevisionFile(file, Buffer.from(text));
  const { operations, remarks } = body();
  const drops = operations.flatMap((operation) =>
    operation.kind === "dropTable"
      ? [
          finding(rule, operation.origin.line, {
            column: operation.origin.column,
            what: operation.table.name,
          }),
        ]
      : [],
  );
  const context = {
    policy: noPolicy,
    judged: new Set(["r"]),
    revisions: new Set(["r"]),
    proofRan: true,
    compared: true,
  };
  const found = suppress([...drops, finding(rule, 6, { column: 5, what: "call" })], {
    ...context,
    remarks: remarks.map((remark) => ({ revision: "r", remark })),
  });
  expect(found.filter(({ suppressed }) => suppressed).map(({ what }) => what)).toEqual(expected);
});

describe("a suppression by comment", () => {
  test.each(Object.entries(cases))("%s", (_, [lines, expected]) => {
    expect(judged(lines)).toEqual(expected);
  });

  test("names the nearest rule", () => {
    const lines = [...top, '    op.drop("a")  # migration-gate: allow ban-drop-colum because x'];
    const { body } = readRevisionFile(file, Buffer.from(lines.join("\n")));
    const remarks = body().remarks.map((remark) => ({ revision: "r", remark }));
    const [problem] = suppress([], {
      remarks,
      policy: noPolicy,
      judged: new Set(["r"]),
      revisions: new Set(["r"]),
      proofRan: true,
      compared: true,
    });
    expect(problem?.what).toBe('There is no rule "ban-drop-colum"; the nearest is "ban-drop-column".');
  });

  test("names none where no rule is near: another rule's id would turn down what nobody meant", () => {
    const lines = [...top, '    op.drop("a")  # migration-gate: allow prefer-identity because x'];
    const { body } = readRevisionFile(file, Buffer.from(lines.join("\n")));
    const remarks = body().remarks.map((remark) => ({ revision: "r", remark }));
    const [problem] = suppress([], {
      remarks,
      policy: noPolicy,
      judged: new Set(["r"]),
      revisions: new Set(["r"]),
      proofRan: true,
      compared: true,
    });
    expect([problem?.what, problem?.do]).toEqual([
      'There is no rule "prefer-identity".',
      "Remove the suppression; migration-gate explain lists all rules.",
    ]);
  });

  test("of what only a proof shows is not called unused before one has run", () => {
    const lines = [...top, "    print()  # migration-gate: allow downgrade-fails because x"];
    expect(judged(lines, "ban-drop-column", false)).toEqual([]);
    expect(judged(lines, "ban-drop-column", true)).toEqual(["warning unused-suppression:6"]);
  });
});

function withPolicy(policy: Partial<Policy>, findings: readonly Finding[]): string[] {
  const context = {
    remarks: [],
    judged: new Set(["r"]),
    revisions: new Set(["r", "old"]),
    proofRan: true,
    compared: true,
  };
  return suppress(findings, {
    ...context,
    policy: { ...noPolicy, file: "migration-gate.yml", ...policy },
  }).map(shown);
}

describe("migration-gate.yml", () => {
  const found = [finding("ban-drop-column", 6), finding("not-proved", 7)];

  test("accepts a finding of one revision", () => {
    const accept = [{ rule: "ban-drop-column", revision: "r", because: "unmapped", line: 2 }];
    expect(withPolicy({ accept }, found)).toEqual(["ban-drop-column:6 (unmapped)", "not-proved:7"]);
  });

  test("accepts nothing without a reason, of another revision, or what must never be", () => {
    const entry = { revision: "r", because: "x" };
    const accept = [
      { ...entry, rule: "ban-drop-column", because: undefined, line: 2 },
      { ...entry, rule: "ban-drop-column", revision: "old", line: 3 },
      { ...entry, rule: "not-proved", line: 4 },
      { ...entry, rule: "ban-drop-table", line: 5 },
    ];
    expect(withPolicy({ accept }, found)).toEqual([
      "ban-drop-column:6",
      "not-proved:7",
      "warning suppression-without-reason:2",
      "warning suppression-not-allowed:4",
      "warning unused-suppression:5",
    ]);
  });

  test("a revision that is nowhere is a slip, one that was deleted is not", () => {
    const accept = [
      { rule: "ban-drop-column", revision: "odl", because: "x", line: 2 },
      { rule: "revision-deleted", revision: "gone", because: "x", line: 3 },
      { rule: "ban-drop-column", revision: "found", because: "x", line: 4 },
    ];
    const more = [finding("ban-drop-column", 7, { revision: "found" })];
    expect(withPolicy({ accept }, more)).toEqual([
      "ban-drop-column:7 (x)",
      "warning unknown-suppression:2",
      "warning unused-suppression:3",
    ]);
  });

  test.each([
    ["is unused once it is merged", true, ["warning unused-suppression:2"]],
    ["may be needed where no base is known", false, []],
  ])("an entry for the edit of a revision that is not judged %s", (_, compared, expected) => {
    const accept = [{ rule: "revision-edited", revision: "old", because: "x", line: 2 }];
    const policy = { ...noPolicy, file: "migration-gate.yml", accept };
    const context = {
      remarks: [],
      policy,
      judged: new Set(["r"]),
      revisions: new Set(["r"]),
      proofRan: false,
      compared,
    };
    expect(suppress([], context).map(shown)).toEqual(expected);
  });

  test("turns rules off, down and up", () => {
    const rules = new Map([
      ["ban-drop-column", { severity: "note", because: "we do" }],
      ["ban-table-rewrite", { severity: "error", because: undefined }],
      ["require-downgrade", { severity: "off", because: "never" }],
      ["ban-drop-table", { severity: "warning", because: undefined, line: 5 }],
      ["not-proved", { severity: "off", because: "x", line: 6 }],
      ["ban-drop", { severity: "note", because: "x", line: 7 }],
    ] as const);
    const findings = [
      ...found,
      finding("ban-table-rewrite", 8, { severity: "warning" }),
      finding("ban-table-rewrite", 9, { severity: "note" }),
      finding("require-downgrade", 10),
      finding("ban-drop-table", 11),
    ];
    expect(withPolicy({ rules }, findings)).toEqual([
      "note ban-drop-column:6",
      "not-proved:7",
      "ban-table-rewrite:8",
      "note ban-table-rewrite:9",
      "require-downgrade:10 (never)",
      "ban-drop-table:11",
      "warning suppression-without-reason:5",
      "warning suppression-not-allowed:6",
      "warning unknown-suppression:7",
    ]);
  });
});
