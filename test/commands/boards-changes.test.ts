import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { blames, judge } from "../support/gate";
import { repositoryIn } from "../support/git";
import { copyOfExample } from "../support/project";

const folder = resolve(import.meta.dirname, "../../examples/boards/changes");

interface Expected {
  readonly exit: 0 | 1;
  /** Errors and warnings, the whole set. */
  readonly findings: readonly string[];
  /** A part of the first finding of the deploy lane. */
  readonly tells: string;
}

const changes: Readonly<Record<string, Expected>> = {
  "downgrade-deletes-cards": {
    exit: 1,
    // The cards, and what goes with them by ON DELETE CASCADE.
    findings: ["attachments", "card_labels", "cards", "comments"].map(
      (table) => `error downgrade-loses-data e4c2a9d07b13 table boards.${table}`,
    ),
    tells: "are gone.",
  },
  "landed-revision-edited": {
    exit: 1,
    findings: [
      "error fails-on-deployed c58e3b9f1d26",
      "error revision-edited labels",
      "warning require-batched-backfill c58e3b9f1d26 table boards.labels",
    ],
    tells: 'column "position" of relation "labels" does not exist',
  },
  "required-column-on-rows": {
    exit: 1,
    findings: [
      "error fails-on-rows 7b1f64d2ae90",
      "error require-column-default 7b1f64d2ae90 column boards.boards.owner_id",
    ],
    tells: 'column "owner_id" of relation "boards" contains null values',
  },
  "unique-index-over-duplicates": {
    exit: 0,
    findings: ["warning may-fail-on-rows 93d05ce1f8a4"],
    tells: 'FROM "boards"."members"',
  },
};

const laneRules = /^(?:fails-on|may-fail-on|downgrade-loses|upgrade-loses|schema-depends)/;

describe.concurrent("a change on the example", () => {
  test("each patch of the folder is tried", () => {
    const patches = readdirSync(folder).filter((file) => file.endsWith(".patch"));
    expect(patches.map((file) => file.replace(/\.patch$/, "")).sort()).toEqual(Object.keys(changes).sort());
  });

  test.each(Object.entries(changes))("%s", async (change, { exit, findings, tells }) => {
    await using project = await copyOfExample("boards");
    const repository = repositoryIn(project.path);
    const base = repository.commit("landed");
    repository.git("apply", "--whitespace=nowarn", join(folder, `${change}.patch`));
    repository.commit("change");
    const { code, report } = await judge({
      cwd: project.path,
      args: ["--database-url-env", "BOARDS_DATABASE_URL", "--base", base],
    });
    const counted = blames(report).filter((blame) => !blame.startsWith("note"));
    expect({ code, findings: counted }).toEqual({ code: exit, findings });
    const first = report.findings.find(({ rule }) => laneRules.test(rule));
    expect(Object.values(first ?? {}).join("\n")).toContain(tells);
    // On an empty database each of them goes up, down and up again.
    expect(report.steps.filter(({ judged, status }) => judged && status !== "proved")).toEqual([]);
  });
});
