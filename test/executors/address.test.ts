import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors";
import { type AddressParts, environmentLines, formatAddress } from "../../src/executors/address";

const plain: AddressParts = {
  host: "127.0.0.1",
  port: 5433,
  user: "gate",
  password: "secret",
  database: "fresh",
};
const hostile: AddressParts = {
  ...plain,
  user: "o'neil",
  password: "p@ss:/?#[]%\n ü!*()",
  database: "a/b?c",
};
const encoded = "p%40ss%3A%2F%3F%23%5B%5D%25%0A%20%C3%BC%21%2A%28%29";

describe("formatAddress", () => {
  test.each<[name: string, format: string, parts: AddressParts, address: string]>([
    ["driver scheme", "postgresql+asyncpg", plain, "postgresql+asyncpg://gate:secret@127.0.0.1:5433/fresh"],
    ["scheme with ://", "postgres://", plain, "postgres://gate:secret@127.0.0.1:5433/fresh"],
    [
      "template",
      "postgresql+psycopg://{user}:{password}@{host}:{port}/{database}?x=1",
      plain,
      "postgresql+psycopg://gate:secret@127.0.0.1:5433/fresh?x=1",
    ],
    [
      "host as a parameter",
      "postgresql:///{database}?host={host}&port={port}",
      plain,
      "postgresql:///fresh?host=127.0.0.1&port=5433",
    ],
    [
      "url and a parameter",
      "{url}?connect_timeout=5",
      plain,
      "postgresql://gate:secret@127.0.0.1:5433/fresh?connect_timeout=5",
    ],
    [
      "reserved characters",
      "postgresql",
      hostile,
      `postgresql://o%27neil:${encoded}@127.0.0.1:5433/a%2Fb%3Fc`,
    ],
  ])("%s", (_name, format, parts, address) => {
    expect(formatAddress(format, parts)).toBe(address);
  });

  test("what it writes is read back by the URL parser", () => {
    const url = new URL(formatAddress("postgresql", hostile));
    expect({
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
      port: url.port,
    }).toEqual({ user: hostile.user, password: hostile.password, database: hostile.database, port: "5433" });
  });

  test.each<[name: string, format: string, what: string, doText: string]>([
    [
      "a fixed address names another server",
      "postgresql://app:hunter2@db.example/prod",
      "The setting database-url-format has no {port} and no {database}.",
      "Set database-url-format to a driver scheme (postgresql+asyncpg) or to postgresql://{user}:{password}@{host}:{port}/{database}.",
    ],
    [
      "a misspelt placeholder",
      "postgresql://{user}:{passwrod}@{host}:{port}/{database}",
      "The placeholder {passwrod} is not known.",
      "Write {password} instead of {passwrod}.",
    ],
    [
      "another tool's word",
      "postgresql://{username}@{host}:{port}/{database}",
      "The placeholder {username} is not known.",
      "Write {user} instead of {username}.",
    ],
  ])("UserError: %s", (_name, format, what, doText) => {
    const parts = errorParts(() => formatAddress(format, plain));
    expect({ what: parts.what, do: parts.do }).toEqual({ what, do: doText });
    expect(JSON.stringify(parts)).not.toContain("hunter2");
  });
});

describe("environmentLines", () => {
  const url = "postgresql+asyncpg://gate:p%40ss@127.0.0.1:5433/fresh";

  test.each<[name: string, lines: string[], variables: Record<string, string>]>([
    ["blank lines and comments", ["", "  # DB_HOST=x", "  A=1"], { A: "1" }],
    ["url", ["BOARDS_DATABASE_URL={url}"], { BOARDS_DATABASE_URL: url }],
    ["raw outside a URL", ["DB_PASSWORD={password}"], { DB_PASSWORD: hostile.password }],
    [
      "encoded inside a URL",
      ["X=pg://{user}:{password}@{host}:{port}"],
      { X: `pg://o%27neil:${encoded}@127.0.0.1:5433` },
    ],
    ["more = and quotes stay", [`OPTIONS=-c a="b=c" {host}`], { OPTIONS: '-c a="b=c" 127.0.0.1' }],
    ["JSON", [`J={"port": {port}, "a": {"b": 1}}`], { J: '{"port": 5433, "a": {"b": 1}}' }],
    ["empty value", ["EMPTY="], { EMPTY: "" }],
    ["the last wins", ["A=1", "A=2"], { A: "2" }],
  ])("%s", (_name, lines, variables) => {
    expect(environmentLines(lines, url, hostile)).toEqual(variables);
  });

  test.each<[name: string, lines: string[], what: string, seen: string]>([
    ["no =", ["A=1", "s3cret"], "Line 2 of the setting env is not NAME=value.", "It has no =."],
    ["no name", ["=s3cret"], "Line 1 of the setting env is not NAME=value.", '"" is not a variable\'s name.'],
    [
      "a shell's word",
      ["export A=s3cret"],
      "Line 1 of the setting env is not NAME=value.",
      '"export A" is not a variable\'s name.',
    ],
    [
      "unknown placeholder",
      ["A={hots}s3cret"],
      "The placeholder {hots} is not known.",
      "Known are {url} {host} {port} {user} {password} {database}.",
    ],
  ])("UserError: %s", (_name, lines, what, seen) => {
    const parts = errorParts(() => environmentLines(lines, url, plain));
    expect({ what: parts.what, seen: parts.seen }).toEqual({ what, seen });
    expect(JSON.stringify(parts)).not.toContain("s3cret");
  });
});

function errorParts(act: () => unknown) {
  try {
    act();
  } catch (error) {
    if (error instanceof UserError) return error.parts;
    throw error;
  }
  throw new Error("no error");
}
