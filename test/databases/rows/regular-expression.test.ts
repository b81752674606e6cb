import { afterAll, beforeAll, expect, test } from "vitest";
import { textsMatching } from "../../../src/databases/postgres/rows/regular-expression";
import { startServer, type TestServer } from "../server";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.[Symbol.asyncDispose]());

const patterns = [
  "^[A-Z]{2}\\d+$",
  "^[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,}$",
  "^(red|green|blue)$",
  "^https?://[^/]+",
  "^\\d{4}-\\d{2}-\\d{2}$",
  "^[^@\\s]+@[^@\\s]+$",
  "^#[0-9a-fA-F]{6}$",
  "^\\+?[1-9]\\d{1,14}$",
  "^(?:\\d{1,3}\\.){3}\\d{1,3}$",
  "^[[:alpha:]_][[:alnum:]_]{0,62}$",
  "^(?=.*[0-9])[A-Z0-9]{4,6}$",
  "^a{3}b{2,}c{0,2}$",
  "^v?\\d+\\.\\d+\\.\\d+(-[a-z]+)?$",
  "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
  "\\mword\\M",
  "^[]a-]+$",
  "^[^]a]$",
  "^.{3,5}$",
  "^a|b$",
  "(?i)^abc$",
  "^\\S+ \\w+$",
  "^[\\w.-]+$",
  "^\\$\\(\\)\\[\\]$",
  "",
];

test.each(patterns)("%j: the server finds each text to match, and they differ", async (pattern) => {
  const texts = textsMatching(pattern, 20, "salt");
  const client = await server.connect("postgres");
  const { rows } = await client.query<{ text: string }>(
    "select text from unnest($1::text[]) text where text ~ $2",
    [texts, pattern],
  );
  const share = rows.length / texts.length;
  // Look-ahead is passed over: some must match, else all.
  expect(share).toBeGreaterThanOrEqual(pattern.includes("(?=") ? 0.3 : 1);
  expect(new Set(texts).size).toBe(texts.length);
  expect(textsMatching(pattern, 20, "salt")).toEqual(texts);
});

test.each(["(a", "[a", "a)", "(a)\\1", "[z-a]", "a{2"])(
  "%j is not understood, or taken as it is, without an error",
  (pattern) => {
    expect(textsMatching(pattern, 3, "salt").length).toBeLessThanOrEqual(1);
  },
);
