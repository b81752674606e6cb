import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.join(import.meta.dirname, "..", "..");
const folders = ["src/findings", "src/revisions"];

/** Ids as they stand in the sources; those that are joined from a direction are named here. */
const joined = ["upgrade-fails", "downgrade-fails", "second-upgrade-fails"];

test("docs/findings.md has a row for every rule, and none that does not exist", () => {
  const sources = folders
    .flatMap((folder) => readdirSync(path.join(root, folder)).map((file) => path.join(root, folder, file)))
    .map((file) => readFileSync(file, "utf8"));
  const written = sources.flatMap((text) =>
    [...text.matchAll(/^\s*(?:rule: |readonly rule: )?((?:"[a-z]+(?:-[a-z]+)+"(?: \| )?)+)[,;]/gm)].flatMap(
      (match) => [...match[1]!.matchAll(/"([^"]+)"/g)].map((id) => id[1]!),
    ),
  );
  const rows = readFileSync(path.join(root, "docs", "findings.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split("|")[1]!.matchAll(/`([^`]+)`/g)].map((id) => id[1]!));
  expect(rows.sort()).toEqual([...new Set([...written, ...joined])].sort());
});
