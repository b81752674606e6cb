import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { generatedFiles } from "../../scripts/generate.mjs";
import { factRules } from "../../src/findings/fact-rules";
import { rules } from "../../src/rules/index";

const root = path.join(import.meta.dirname, "..", "..");
const folders = ["src/findings", "src/revisions"];
const registries = ["fact-rules.ts"];

/** Ids as they stand in the sources; those that are joined from a direction are named here. */
const joined = ["upgrade-fails", "downgrade-fails", "second-upgrade-fails"];

function filesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder));
}

function read(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}

describe("the registry of rules", () => {
  test("has every id that a finding is made with, and none that does not exist", () => {
    const sources = folders.flatMap((folder) =>
      filesIn(folder)
        .filter((file) => !registries.includes(file))
        .map((file) => read(`${folder}/${file}`)),
    );
    const written = sources.flatMap((text) =>
      [
        ...text.matchAll(
          /^\s*(?:(?:return )?(?:about|finding)\()?(?:rule: |readonly rule: |type OwnRule =|\| )?((?:"[a-z]+(?:-[a-z]+)+"(?: \| )?)+)[,;]?/gm,
        ),
      ].flatMap((match) => [...match[1]!.matchAll(/"([^"]+)"/g)].map((id) => id[1]!)),
    );
    const facts = [...new Set([...written, ...joined])].filter((id) => !(id in rules));
    expect(Object.keys(factRules).sort()).toEqual(facts.sort());
  });

  test("has one line for each rule file", () => {
    const files = filesIn("src/rules")
      .filter((file) => /^(?:ban|require|prefer)-/.test(file))
      .map((file) => file.replace(/\.ts$/, ""));
    expect(Object.keys(rules).sort()).toEqual(files.sort());
  });

  test("has no id twice", () => {
    expect(Object.keys(rules).filter((id) => id in factRules)).toEqual([]);
  });

  test("has a page for each rule and none too many, as the sources make them", async () => {
    const made = await generatedFiles();
    const pages = filesIn("docs/rules").map((file) => `docs/rules/${file}`);
    expect(pages.sort()).toEqual(
      Object.keys(rules)
        .map((id) => `docs/rules/${id}.md`)
        .sort(),
    );
    for (const file of ["docs/findings.md", ...pages]) expect(read(file)).toBe(made[file]);
  });
});
