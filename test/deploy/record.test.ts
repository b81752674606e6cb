import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireRecordDirectory, writeRecord } from "../../src/deploy/record";
import { temporaryDirectory } from "../shadow/temporary";
import { messageOf } from "../support/messages";

test("each record is a file of its own, whole, and only its owner's", async () => {
  await using folder = await temporaryDirectory();
  const directory = join(folder.path, "a", "b");
  requireRecordDirectory(directory);
  expect(readdirSync(directory)).toEqual([]);
  const files = Array.from({ length: 50 }, (_, count) => writeRecord(directory, "restore", { count }));
  expect(new Set(files).size).toBe(50);
  expect(readdirSync(directory)).toHaveLength(50);
  expect(files.map((file) => JSON.parse(readFileSync(file, "utf8")))).toEqual(
    Array.from({ length: 50 }, (_, count) => ({ count })),
  );
  expect(statSync(files[0]!).mode & 0o777).toBe(0o600);
});

test("a folder that cannot be written is told before", async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  chmodSync(file, 0o600);
  expect(await messageOf(() => requireRecordDirectory(file))).toContain("Set record-directory to a folder");
  expect(await messageOf(() => writeRecord(file, "apply", {}))).toContain("cannot be written");
  // Node's own recursive mkdir never returns here.
  expect(await messageOf(() => requireRecordDirectory("/proc/nowhere/records"))).toContain(
    "record-directory",
  );
});
