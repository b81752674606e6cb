import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const source = path.join(__dirname, "..", "src");

/** Data flows one way: a folder imports only from those above it. commands/ and the entry join them. */
const order = [
  "model",
  "errors",
  "nearest",
  "make-directory",
  "version",
  "optimizer",
  "settings",
  "secrets",
  "outputs",
  "project",
  "revisions",
  "operations",
  "databases",
  "tools",
  "executors",
  "shadow",
  "recorder",
  "evidence",
  "lanes",
  "rules",
  "findings",
  "reports",
  "backup",
  "deploy",
  "github",
  "commands",
  "cli",
  "action",
];

/** What is known of one database, one tool, one place to run stays in its folder. */
const strangers = ["databases", "tools", "executors"];

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replaceAll(path.sep, "/"));

function layerOf(file: string): string {
  return file.split("/")[0]!.replace(/\.ts$/, "");
}

function importsOf(file: string, wanted: "all" | "run time" = "all"): string[] {
  const text = readFileSync(path.join(source, file), "utf8");
  const statements = [
    ...text.matchAll(/^(?:import|export)\b(?<type> type\b)?[^;]*?from "(?<from>\.[^"]+)";/gms),
  ];
  const specifiers = statements
    .filter(({ groups }) => wanted === "all" || groups?.type === undefined)
    .map(({ groups }) => groups?.from ?? "");
  return specifiers.map((specifier) => {
    const target = path.posix.join(path.posix.dirname(file), specifier);
    return files.includes(`${target}.ts`) ? `${target}.ts` : `${target}/index.ts`;
  });
}

describe("the source tree", () => {
  it("has only folders that the order knows", () => {
    expect(files.map(layerOf).filter((layer) => !order.includes(layer))).toEqual([]);
  });

  it("imports from folders above only", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => order.indexOf(layerOf(target)) > order.indexOf(layerOf(file)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps databases, tools and executors apart", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => strangers.includes(layerOf(file)) && strangers.includes(layerOf(target)))
        .filter((target) => layerOf(target) !== layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("has no cycles and, at run time, no chain longer than thirteen", () => {
    const depths = new Map<string, number>();
    const depthOf = (file: string, path: readonly string[]): number => {
      if (path.includes(file)) throw new Error(`cycle: ${[...path, file].join(" → ")}`);
      const known = depths.get(file);
      if (known !== undefined) return known;
      const depth = Math.max(
        0,
        ...importsOf(file, "run time").map((target) => 1 + depthOf(target, [...path, file])),
      );
      depths.set(file, depth);
      return depth;
    };
    const long = files.filter((file) => depthOf(file, []) > 13);
    expect(long).toEqual([]);
  });

  it("has small files", () => {
    const lengths = files.map((file) => readFileSync(path.join(source, file), "utf8").split("\n").length);
    expect(files.filter((_, index) => lengths[index]! > 400)).toEqual([]);
    expect(lengths.sort((left, right) => left - right)[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(
      130,
    );
  });

  it("has no drawer for odds and ends", () => {
    const odd = files.filter((file) =>
      /(?:^|\/)(?:utils?|helpers?|common|misc|shared)(?:\.ts|\/)/.test(file),
    );
    expect(odd).toEqual([]);
  });
});
