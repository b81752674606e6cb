import fc from "fast-check";
import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { redactDeep, redactor, secretsOf, spellings } from "../src/secrets";
import { version } from "../src/version";
import { cpuSeconds } from "./support/cpu";

describe("what is a secret", () => {
  test.each<[string, NodeJS.ProcessEnv, readonly string[]]>([
    ["the password of an address", { A: "postgresql://app:hunter22@db/shop" }, ["hunter22"]],
    ["as it is written and as it is meant", { A: "redis://:hun%40ter@db" }, ["hun%40ter", "hun@ter"]],
    ["with a raw @ and spaces", { A: "postgresql://app:hun @ter@db/shop" }, ["hun @ter"]],
    ["a token", { "INPUT_GITHUB-TOKEN": "ghs_0123456789" }, ["ghs_0123456789"]],
    [
      "not one that is printed anyway",
      { A: "postgresql://postgres1:postgres1@db", B: "p://a:db.example@db.example" },
      [],
    ],
    ["not a word that every example has", { A: "postgresql://app:postgres@db" }, []],
    ["not one that would maim words", { A: "postgresql://app:pw@db" }, []],
    ["a token of our own variable", { MIGRATION_GATE_GITHUB_TOKEN: "ghs_0123456789 " }, ["ghs_0123456789"]],
    ["an enterprise's token", { GH_ENTERPRISE_TOKEN: "ghe_012345" }, ["ghe_012345"]],
    ["its other name", { GITHUB_ENTERPRISE_TOKEN: "ghe_012345" }, ["ghe_012345"]],
    ["a secret setting that is no address", { "INPUT_SHADOW-URL": "hunter22" }, ["hunter22"]],
    [
      "of one that is an address, nothing but a password",
      { MIGRATION_GATE_SHADOW_URL: "p://me@db.example/shop" },
      [],
    ],
    [
      "passwords in an address's query, as written and as meant",
      {
        A: "postgresql://db/shop?user=app&password=hun%40t+er#x",
        B: "p:///shop?sslpassword=key%2Fpass&sslmode=require",
      },
      ["hun%40t+er", "hun@t+er", "hun@t er", "key%2Fpass", "key/pass"],
    ],
    ["no address", { A: "a: b@c", B: "http://example.com/a:b@c" }, []],
  ])("%s", (_, environment, expected) => {
    expect(secretsOf([], environment)).toEqual(expected);
  });

  test("also in arguments", () => {
    expect(secretsOf(["--shadow-url=postgresql://a:hunter22@b/c"], {})).toEqual(["hunter22"]);
  });
});

describe("redaction", () => {
  test.each([
    ["postgresql://app:hunter22@db", "postgresql://app:***@db"],
    ["an address of nobody's: https://a:short@b", "an address of nobody's: https://a:***@b"],
    ["p://db/shop?user=me&password=short&sslmode=off", "p://db/shop?user=me&password=***&sslmode=off"],
    ["p:///shop?sslpassword=short p://u:abc@h?password=a@b", "p:///shop?sslpassword=*** p://u:***@b"],
    ["p://db/shop?password={password}", "p://db/shop?password={password}"],
    ["upwards", "upwards"],
    [
      "Write postgresql://{user}:{password}@{host} or p://user:password@h",
      "Write postgresql://{user}:{password}@{host} or p://user:password@h",
    ],
  ])("%s", (text, expected) => {
    expect(redactor(["hunter22"])(text)).toBe(expected);
  });

  test("of any secret in any spelling leaves nothing of it", () => {
    const secret = fc
      .string({ unit: "grapheme", minLength: 6, maxLength: 30 })
      .filter((text) => text.trim().length >= 6);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (text, before, after) => {
        const redact = redactor([text]);
        for (const spelling of spellings(text)) {
          const found = redact(`${before}|${spelling}|${after}`).includes(spelling);
          expect(found && !"***".includes(spelling), spelling).toBe(false);
        }
      }),
    );
  });

  test("is quick in long texts", () => {
    const redact = redactor(["%%%%%%%%%%", "''''''''''", "          x", "secret with words"]);
    expect(cpuSeconds(() => redact("%' ".repeat(300_000)))).toBeLessThan(5);
  });

  test.each(["ab", "a://", "a://b:", "-a", "a@"])("is quick in a long word of %s", (part) => {
    const text = part.repeat(20_000);
    const seconds = cpuSeconds(() => {
      expect(redactor(["hunter22"])(text.repeat(10)).length).toBe(text.length * 10);
      expect(secretsOf([], { SEED: text })).toEqual([]);
    });
    expect(seconds).toBeLessThan(10);
  });

  test("goes through lists and fields, and leaves what is no text", () => {
    const value = { a: ["hunter22", 1, undefined, null], b: { c: true, d: "x hunter22" } };
    expect(redactDeep(value, redactor(["hunter22"]))).toEqual({
      a: ["***", 1, undefined, null],
      b: { c: true, d: "x ***" },
    });
  });
});

test("the version is the package's", () => {
  expect(version).toBe(packageJson.version);
});
