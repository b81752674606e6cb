import { describe, expect, test } from "vitest";
import { type Address, parseAddress, redact, urlOf } from "../../src/databases/postgres/connection";
import { UserError } from "../../src/errors";

const defaults = { name: "DATABASE_URL", port: 5432, password: undefined, sslmode: "prefer" };

describe("an address is read", () => {
  test.each<[string, Partial<Address>]>([
    [
      "postgresql://ada:pw@db.example:6432/boards",
      { host: "db.example", port: 6432, user: "ada", password: "pw", database: "boards" },
    ],
    ["postgres://ada@db/boards", { host: "db", user: "ada", database: "boards" }],
    [
      "postgresql+asyncpg://ada:pw@db/boards?ssl=require",
      { host: "db", user: "ada", password: "pw", database: "boards", sslmode: "require" },
    ],
    ["POSTGRESQL+psycopg2://ada@db/boards", { host: "db", user: "ada", database: "boards" }],
    ["postgres://ada@db", { host: "db", user: "ada", database: "ada" }],
    [
      "postgres:///boards?user=ada&host=/run/postgresql&port=5433",
      { host: "/run/postgresql", port: 5433, user: "ada", database: "boards" },
    ],
    [
      "postgres://ada@%2Frun%2Fpostgresql/boards",
      { host: "/run/postgresql", user: "ada", database: "boards" },
    ],
    ["postgres://ada@[::1]:6432/boards", { host: "::1", port: 6432, user: "ada", database: "boards" }],
    [
      "postgres://a%64a:%40%3A%2F%25%23%3F%20@db/bo%C3%A4rds",
      { host: "db", user: "ada", password: "@:/%#? ", database: "boärds" },
    ],
    ["postgres://ada:a:b@db/boards", { host: "db", user: "ada", password: "a:b", database: "boards" }],
    [
      "postgres://ada@db/boards?sslmode=verify-full&sslrootcert=/ca.pem&options=-c%20search_path%3Dapp",
      {
        host: "db",
        user: "ada",
        database: "boards",
        sslmode: "verify-full",
        sslrootcert: "/ca.pem",
        options: "-c search_path=app",
      },
    ],
    [
      "  postgres://ada@/boards?ssl-mode=disable\n",
      { host: "localhost", user: "ada", database: "boards", sslmode: "disable" },
    ],
  ])("%s", (url, expected) => {
    const address = parseAddress(url, "DATABASE_URL");
    expect(address).toEqual({ ...defaults, ...expected });
    // As a URL it stays what it is, but for the modes in which a driver decides by itself.
    const again = parseAddress(urlOf(address), "DATABASE_URL");
    expect(again).toEqual({
      ...address,
      sslmode: address.sslmode === "disable" ? "prefer" : address.sslmode,
    });
  });
});

describe("an address is refused without a word of it", () => {
  const encode =
    "Percent-encode the password and the user name: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25, a space is %20.";
  const form = "postgresql://user:password@host:5432/database?sslmode=require.";
  test.each([
    [
      "postgres://ada:hun@ter2@db/boards",
      "is not a valid connection URL.",
      "It has more than one @ before the host.",
      encode,
    ],
    [
      "postgres://ada:hun/ter2@db/boards",
      "is not a valid connection URL.",
      "It has a / or ? before the @.",
      encode,
    ],
    [
      "postgres://ada:12/ter2@db/boards",
      "is not a valid connection URL.",
      "It has a / or ? before the @.",
      encode,
    ],
    [
      "postgres://ada:hun?ter2@db/boards",
      "is not a valid connection URL.",
      "It has a / or ? before the @.",
      encode,
    ],
    [
      "postgres://ada:hun#ter2@db/boards",
      "is not a valid connection URL.",
      "It has a # that is not encoded.",
      encode,
    ],
    [
      "postgres://ada:hun%ter2@db/boards",
      "is not a valid connection URL.",
      "It has a % that is not followed by two hexadecimal digits.",
      encode,
    ],
    [
      "postgres://ada:hun%ffter2@db/boards",
      "is not a valid connection URL.",
      "Its percent-encoding is not UTF-8.",
      encode,
    ],
    [
      "postgres://ada@db:hunter2/boards",
      "is not a valid connection URL.",
      "What stands where the port should be is not a number from 1 to 65535.",
      encode,
    ],
    [
      "postgres://ada@d b/hunter2",
      "is not a valid connection URL.",
      "What stands where the host should be is not a host name.",
      encode,
    ],
    [
      "postgres://ada@db/boards/hunter2",
      "is not a valid connection URL.",
      "It has more than one / after the host.",
      encode,
    ],
    [
      "postgres://ada@db/boards?hunter2",
      "is not a valid connection URL.",
      "It has a ? that no name=value follows.",
      encode,
    ],
    [
      "mysql://ada:hunter2@db/boards",
      'has the scheme "mysql", not postgres or postgresql.',
      undefined,
      `Write it as ${form}`,
    ],
    ["host=db password=hunter2", "is not a connection URL.", undefined, `Write it as ${form}`],
    [
      "'postgres://ada:hunter2@db/boards'",
      "starts with a quote character.",
      undefined,
      "Remove the quotes around the value.",
    ],
    [
      "postgres://ada:hunter2@one,two/boards",
      "names several hosts.",
      undefined,
      "Name the primary server alone.",
    ],
    [" ", "is empty.", undefined, `Set it to ${form}`],
    [
      "postgres://ada@db/boards?sslmode=on",
      'has the sslmode "on".',
      undefined,
      "Use one of disable, allow, prefer, require, verify-ca, verify-full.",
    ],
    [
      "postgres://ada@/boards?port=x",
      "has a port that is not a number from 1 to 65535.",
      undefined,
      "Write port=5432.",
    ],
  ])("%s", (url, what, seen, help) => {
    let error: unknown;
    try {
      parseAddress(url, "DATABASE_URL");
    } catch (reason) {
      error = reason;
    }
    expect(error).toBeInstanceOf(UserError);
    const parts = { what: `DATABASE_URL ${what}`, where: "DATABASE_URL", do: help };
    expect((error as UserError).parts).toEqual(seen === undefined ? parts : { ...parts, seen });
    expect(String((error as UserError).cause)).not.toContain("ter2");
  });
});

test("a URL for asyncpg says ssl where others say sslmode", () => {
  const address = parseAddress("postgres://ada@db/boards?sslmode=require", "DATABASE_URL");
  expect(urlOf(address, "postgresql+asyncpg")).toBe("postgresql+asyncpg://ada@db:5432/boards?ssl=require");
  expect(urlOf(address)).toBe("postgresql://ada@db:5432/boards?sslmode=require");
});

describe("redact", () => {
  const address = parseAddress("postgres://ada:p%40ss!w%2Frd@db/boards", "DATABASE_URL");
  test.each([
    ["FATAL: p@ss!w/rd is wrong", "FATAL: *** is wrong"],
    ["tried p%40ss!w%2Frd and p%40ss%21w%2Frd", "tried *** and ***"],
    ["postgresql+asyncpg://bob:other@host/x failed", "postgresql+asyncpg://bob:***@host/x failed"],
    ["postgres://ada:half@secret@db/x", "postgres://ada:***@db/x"],
    ["https://example.com:80/a", "https://example.com:80/a"],
  ])("%s", (text, expected) => {
    expect(redact(text, address)).toBe(expected);
  });

  test("leaves a password that equals the user name, which is printed anyway", () => {
    const given = parseAddress("postgres://postgres:postgres@db/postgres", "shadow-url");
    expect(redact("role postgres", given)).toBe("role postgres");
  });
});
