import { expect, test } from "vitest";
import type { ToolProject } from "../../../src/tools/contract";
import { commands, runWords } from "../../../src/tools/sqlx/run";

const at = (config: string): ToolProject => ({
  tool: "sqlx",
  root: "/p",
  config,
  section: undefined,
  revisionFolders: [],
  recursive: false,
  configFiles: [],
  environmentFiles: [],
  environmentFolders: [],
});

test("arguments", () => {
  const all = commands(at("migrations"));
  expect([all.current, all.upgrade("head"), all.upgrade("3")]).toEqual([
    ["info"],
    ["run"],
    ["run", "--target-version", "3"],
  ]);
  expect([all.downgrade("base"), all.downgrade("3"), all.downgrade("-1")]).toEqual([
    ["revert", "--target-version", "0"],
    ["revert", "--target-version", "3"],
    ["revert"],
  ]);
  expect(commands(at("crates/d b/sql")).upgrade("heads")).toEqual(["run", "--source", "crates/d b/sql"]);
});

test("words", () => {
  expect(runWords(at("migrations"))).toEqual(["sqlx", "migrate"]);
  expect(runWords(at("migrations"), "cargo sqlx migrate")).toEqual(["cargo", "sqlx", "migrate"]);
  expect(() => runWords(at("migrations"), " ")).toThrow('The setting "run" is empty.');
});
