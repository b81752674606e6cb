import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { nameForm } from "../../src/revisions/file-names";
import { findProject, readRevisions } from "../../src/tools/find-project";
import { toolNamed } from "../../src/tools/index";

/** `<id> <file>`; of SQL the file alone. */
function revision(text: string) {
  const [first = "", file = first] = text.split(" ");
  const id = /^\d+/.exec(first)?.[0] ?? first;
  return first.endsWith(".sql")
    ? { id: String(BigInt(id)), location: { file: first, line: 1, column: 1 }, sql: { down: undefined } }
    : { id: first, location: { file: `versions/${file}`, line: 1, column: 1 } };
}

const hex = ["1a 1a_start.py", "2b 2b_two.py", "3c 3c_three_more.py"];
const timed = [
  "1a 2026_01_05_0900-1a_start.py",
  "2b 2026_02_11_1015-2b_two.py",
  "3c 2026_12_31_2359-3c_x.py",
];
const dated = ["a 2026_1_5-start.py", "b 2026_11_12-two.py"];
const byDay = "%(year)d_%(month)d_%(day)d-%(slug)s";
const counted = ["001_a.sql", "002_b.sql", "003_c.sql"];
const times = ["20240101000000_a.sql", "20240102000000_b.sql", "20240103000000_c.sql"];

interface Case {
  readonly landed: readonly string[];
  readonly template?: string;
  /** Undefined: nothing is said of any name. */
  readonly shown: string | undefined;
  readonly fits?: readonly string[];
  readonly differs?: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  "id and slug": {
    landed: hex,
    shown: "<id>_<slug>",
    fits: ["4d 4d_four.py", "4d 4d_.py", "4d 4d_ünder_2.py"],
    differs: ["4d four.py", "4d 4d.py", "4d 2026_01_01-4d_four.py", "4d 1a_copied.py", "4d four_4d.py"],
  },
  "the id alone": {
    landed: ["a a.py", "b b.py", "c c.py"],
    shown: "<id>",
    fits: ["d d.py"],
    differs: ["d d_x.py"],
  },
  "a time, the id and a slug": {
    landed: timed,
    shown: "####_##_##_####-<id>_<slug>",
    fits: ["4d 2027_01_01_0000-4d_four.py"],
    differs: ["4d 4d_four.py", "4d 2027_1_1-4d_four.py"],
  },
  "a number and a slug, without the id": {
    landed: ["a1 0001_a.py", "b2 0002_b.py", "c3 0003_c.py"],
    shown: "####_<slug>",
    fits: ["d4 0004_d.py"],
    differs: ["d4 d4_d.py"],
  },
  "an id with signs that mean something in a pattern": {
    landed: ["a.b a.b_x.py", "c(d c(d_x.py", "e*f e*f_x.py"],
    shown: "<id>_<slug>",
    fits: ["g[h g[h_x.py"],
  },
  "mixed names": { landed: [...hex, "4d four.py"], shown: undefined },
  "two are no custom": { landed: hex.slice(0, 2), shown: undefined },
  "none landed": { landed: [], template: byDay, shown: undefined },
  "the template that is set": {
    landed: dated,
    template: byDay,
    shown: byDay,
    fits: ["c 2027_1_31-x.py"],
    differs: ["c c_x.py", "c 2027-01-31-x.py"],
  },
  "a template with widths": {
    landed: ["1a 2026_01_05_0900-1a_start.py"],
    template: "%(year)d_%(month).2d_%(day).2d_%(hour).2d%(minute).2d-%(rev)s_%(slug)s",
    shown: "%(year)d_%(month).2d_%(day).2d_%(hour).2d%(minute).2d-%(rev)s_%(slug)s",
    fits: ["4d 2027_01_01_0000-4d_four.py"],
    differs: ["4d 2027_1_01_0000-4d_four.py", "4d 2027_01_01_0000-1a_four.py"],
  },
  "a template that the landed ones do not follow": { landed: hex, template: byDay, shown: undefined },
  "a template of folders, or with a word that is not known": {
    landed: hex,
    template: "%(who)s/%(rev)s",
    shown: undefined,
  },
  "versions of one width": {
    landed: counted,
    shown: "versions of 3 digits",
    fits: ["004_d.sql", "1000_d.sql"],
    differs: ["4_d.sql", "0004_d.sql", "20240104000000_d.sql"],
  },
  "versions that are times": {
    landed: times,
    shown: "versions of 14 digits",
    fits: ["20270101000000_d.sql"],
    differs: ["4_d.sql", "20270101_d.sql"],
  },
  "versions without zeros before them": {
    landed: ["8_a.sql", "9_b.sql", "10_c.sql"],
    shown: "versions that count",
    fits: ["11_d.sql"],
    differs: ["011_d.sql", "20240104000000_d.sql"],
  },
  "versions of several widths": { landed: ["001_a.sql", "02_b.sql", "003_c.sql"], shown: undefined },
};

test.each(Object.entries(cases))("%s", (_, { landed, template, shown, fits = [], differs = [] }) => {
  const form = nameForm(landed.map(revision), template);
  expect(form?.shown).toBe(shown);
  for (const name of fits) expect([name, form?.fits(revision(name))]).toEqual([name, true]);
  for (const name of differs) expect([name, form?.fits(revision(name))]).toEqual([name, false]);
});

describe("each revision of an example, as the newest", () => {
  test.each(["boards", "devopser", "everruns", "numbered"])("%s: is named as those before it", (name) => {
    const project = findProject(join(resolve(import.meta.dirname, "../../examples"), name));
    const { revisions } = readRevisions(project);
    const template = toolNamed(project.tool).fileTemplate?.(project);
    expect(template).toBe(name === "boards" ? "%(year)d_%(month)d_%(day)d-%(slug)s" : undefined);
    for (const newest of revisions) {
      const form = nameForm(
        revisions.filter((other) => other !== newest),
        template,
      );
      expect(form?.fits(newest) ?? true).toBe(true);
    }
  });
});
