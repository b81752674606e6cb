import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { blames, type JudgedEnd, judge, openSteps, runCheck } from "../support/gate";
import { copyOfExample, type Project } from "../support/project";

const defectsFolder = resolve(import.meta.dirname, "../../examples/boards/defects");

function judgeBoards(project: Project, env: Readonly<Record<string, string>> = {}): Promise<JudgedEnd> {
  return judge({ cwd: project.path, args: ["--database-url-env", "BOARDS_DATABASE_URL"], env });
}

describe.concurrent("the example", () => {
  test.each(["0", "1"])("is clean, every step proved, transaction_per_migration %s", async (value) => {
    await using project = await copyOfExample("boards");
    const { code, report, stderr } = await judgeBoards(project, {
      BOARDS_TRANSACTION_PER_MIGRATION: value,
    });
    expect({ code, stderr, verdict: report.verdict, findings: report.findings }).toEqual({
      code: 0,
      stderr: "",
      verdict: "passed",
      findings: [],
    });
    expect(report.steps).toHaveLength(44);
    expect(openSteps(report)).toEqual([]);
    expect(report.steps.every(({ judged }) => judged)).toBe(true);
  });
});

interface Expected {
  readonly exit: 0 | 1;
  /** `<severity> <rule> <revision> <object>`, the whole set. */
  readonly findings: readonly string[];
  /** Steps that are not proved, the whole set but those that wait for a revision whose upgrade fails. */
  readonly open?: readonly string[];
  readonly waiting?: { readonly on: string; readonly steps: number };
}

const residue = "downgrade-leaves-residue";
const failed = (revision: string) => [`${revision} downgrade: failed, the downgrade fails`];
const unrestored = (revision: string) => [`${revision} downgrade: failed, it does not restore the schema`];
const neverUp = (revision: string) => [
  `${revision} downgrade: skipped, the upgrade fails`,
  `${revision} upgrade: failed, the upgrade fails`,
];

const defects: Readonly<Record<string, Expected>> = {
  "changes-after-the-last-boundary": {
    exit: 1,
    findings: ["error not-proved 20260602_093000_longer_titles"],
    open: [
      "20260602_093000_longer_titles upgrade: not proved, something changed after the last boundary: view public.schema_state",
    ],
  },
  "commit-inside-revision": { exit: 0, findings: ["warning revision-ends-transaction card_order"] },
  "concurrently-inside-transaction": {
    exit: 1,
    findings: ["error upgrade-fails card_order"],
    open: neverUp("card_order"),
    waiting: { on: "card_order", steps: 24 },
  },
  "downgrade-blocked-by-view": {
    exit: 1,
    findings: ["error require-downgrade open_cards", `note ${residue} open_cards view boards.open_cards`],
    open: unrestored("open_cards"),
  },
  "downgrade-creates-table-that-never-was": {
    exit: 1,
    findings: [`error ${residue} attachments table boards.card_files`],
    open: unrestored("attachments"),
  },
  "downgrade-drops-another-name": {
    exit: 1,
    findings: ["error downgrade-fails attachments"],
    open: failed("attachments"),
  },
  "downgrade-drops-in-wrong-order": {
    exit: 1,
    findings: ["error downgrade-fails labels"],
    open: failed("labels"),
  },
  "downgrade-drops-unnamed-constraint": {
    exit: 1,
    findings: ["error downgrade-fails 20260206_101500_card_due_dates"],
    open: failed("20260206_101500_card_due_dates"),
  },
  "downgrade-forgets-column-comment": {
    exit: 1,
    findings: [`error ${residue} c0ffee5ca1ab column boards.cards.due_at`],
    open: unrestored("c0ffee5ca1ab"),
  },
  "downgrade-forgets-default": {
    exit: 1,
    findings: [`error ${residue} f6b8e0134c7d column boards.cards.status`],
    open: unrestored("f6b8e0134c7d"),
  },
  "downgrade-is-empty": {
    exit: 1,
    findings: [
      "error require-downgrade 20260511_120000_tenant_policy",
      `note ${residue} 20260511_120000_tenant_policy policy boards.boards.tenant_isolation`,
      `note ${residue} 20260511_120000_tenant_policy table boards.boards`,
    ],
    open: unrestored("20260511_120000_tenant_policy"),
  },
  "downgrade-raises-python-error": {
    exit: 1,
    findings: ["error downgrade-fails 9d20b6aa51c3"],
    open: failed("9d20b6aa51c3"),
  },
  "downgrade-restores-narrower-type": {
    exit: 1,
    findings: [`error ${residue} 20260602_093000_longer_titles column boards.boards.title`],
    open: unrestored("20260602_093000_longer_titles"),
  },
  "enum-left-by-downgrade": {
    exit: 1,
    findings: [`error ${residue} member_roles enum type public.member_role`],
    open: unrestored("member_roles"),
  },
  "enum-value-left-by-downgrade": {
    exit: 1,
    findings: [
      "error require-downgrade f6b8e0134c7d",
      `note ${residue} f6b8e0134c7d enum type boards.card_status`,
    ],
    open: unrestored("f6b8e0134c7d"),
  },
  "extension-left-by-downgrade": {
    exit: 0,
    findings: [`warning ${residue} 20260105_090000_initial_schema extension "uuid-ossp"`],
  },
  "function-left-by-downgrade": {
    exit: 1,
    findings: [`error ${residue} 9d20b6aa51c3 function public.touch_updated_at()`],
    open: unrestored("9d20b6aa51c3"),
  },
  "index-forgotten-by-downgrade": {
    exit: 1,
    findings: [`error ${residue} card_order index boards.ix_cards_board_id_position`],
    open: unrestored("card_order"),
  },
  "irreversible-with-reason": {
    exit: 0,
    findings: [],
    open: [
      "20260402_140000_card_priority downgrade: skipped, irreversible: the priorities that people chose would be lost",
    ],
  },
  "missing-extension": {
    exit: 1,
    findings: ["error missing-extension c41d9be2705a extension pg_uuidv7"],
    open: neverUp("c41d9be2705a"),
    waiting: { on: "c41d9be2705a", steps: 36 },
  },
  "two-heads": { exit: 1, findings: ["error multiple-heads 77ab0e52d9c1"] },
  "upgrade-fails-on-missing-column": {
    exit: 1,
    findings: ["error upgrade-fails open_cards"],
    open: neverUp("open_cards"),
    waiting: { on: "open_cards", steps: 8 },
  },
  "upgrade-swallows-an-error": {
    exit: 1,
    findings: [
      "error ban-drop-column d9017ab3c5e4 column boards.attachments.mime_type",
      "error upgrade-fails d9017ab3c5e4",
    ],
    open: neverUp("d9017ab3c5e4"),
    waiting: { on: "d9017ab3c5e4", steps: 28 },
  },
};

const notRun: Readonly<Record<string, string>> = {
  "env-ignores-address":
    'error: "alembic current" did not connect to the shadow database, so nothing was upgraded or downgraded.',
  "env-import-error": 'error: Python does not find the module "boards_settings".',
};

describe.concurrent("a defect", () => {
  test.each(Object.entries(defects))("%s", async (defect, { exit, findings, open = [], waiting }) => {
    await using project = await copyOfExample("boards", { defects: [defect] });
    const { code, report } = await judgeBoards(project);
    const all = openSteps(report);
    const waits = all.filter((step) =>
      step.endsWith(`not proved, it needs ${waiting?.on}, whose upgrade fails`),
    );
    expect({ code, findings: blames(report), open: all.filter((step) => !waits.includes(step)) }).toEqual({
      code: exit,
      findings,
      open: [...open].sort(),
    });
    expect(waits).toHaveLength(waiting?.steps ?? 0);
  });

  test.each(Object.entries(notRun))("%s: nothing can be judged", async (defect, firstLine) => {
    await using project = await copyOfExample("boards", { defects: [defect] });
    const args = ["--database-url-env", "BOARDS_DATABASE_URL"];
    const { code, stdout, stderr } = await runCheck({ cwd: project.path, args });
    expect({ code, stdout, first: stderr.split("\n")[0] }).toEqual({ code: 2, stdout: "", first: firstLine });
  });

  test("is in one of the tables above", () => {
    const patches = readdirSync(defectsFolder).flatMap((file) => /^(.+)\.patch$/.exec(file)?.[1] ?? []);
    expect([...Object.keys(defects), ...Object.keys(notRun)].sort()).toEqual(patches.sort());
  });
});
