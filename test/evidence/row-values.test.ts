import { describe, expect, test } from "vitest";
import { canonicalFor } from "../../src/evidence/row-values";
import { isSecretColumn } from "../../src/evidence/secret-columns";

/** Type and value before, type and value after. */
const same: readonly (readonly [string, string, string, string])[] = [
  ["numeric(12,4)", "1.5000", "numeric(12,1)", "1.5"],
  ["numeric", "1.50", "numeric", "1.5"],
  ["numeric", "-0.00", "integer", "0"],
  ["double precision", "1e+20", "numeric", "100000000000000000000"],
  ["double precision", "1.5e-07", "numeric", "0.00000015"],
  ["text", "007", "integer", "7"],
  ["numeric", "NaN", "double precision", "NaN"],
  ["boolean", "t", "text", "true"],
  ["boolean", "f", "integer", "0"],
  ["timestamp with time zone", "2024-05-01 00:00:00+00", "date", "2024-05-01"],
  [
    "timestamp with time zone",
    "2024-05-01 10:00:00.5+00",
    "timestamp without time zone",
    "2024-05-01 10:00:00.5",
  ],
  ["timestamp without time zone", "2024-05-01 10:00:00", "text", "2024-05-01T10:00:00Z"],
  ["json", '{"b":1,"a":[1, 2]}', "jsonb", '{"a": [1, 2], "b": 1}'],
  ["uuid", "00000000-0000-0000-0000-00000000000a", "text", "{0000000000000000000000000000000A}"],
  ["inet", "10.0.0.1/32", "text", "10.0.0.1"],
];

const different: typeof same = [
  ["text", "1.50", "text", "1.5"],
  ["text", "1.50", "character varying(10)", "1.5"],
  ["text", "t", "text", "true"],
  ["numeric", "1.25", "numeric", "1.3"],
  ["numeric", "100", "numeric", "1"],
  ["numeric", "0.1", "numeric", "0.01"],
  ["numeric", "-1", "numeric", "1"],
  ["numeric[]", "{1.50}", "text", "{1.5}"],
  ["timestamp with time zone", "2024-05-01 10:00:00+00", "date", "2024-05-01"],
  ["timestamp without time zone", "2024-05-01 10:00:00", "text", "2024-05-01 10:00"],
  ["jsonb", '{"a": 1}', "jsonb", '{"a": "1"}'],
  ["inet", "10.0.0.0/24", "text", "10.0.0.0"],
];

describe("canonicalFor", () => {
  test.each(same)("%s %s is %s %s", (before, left, after, right) => {
    const canonical = canonicalFor(before, after);
    expect(canonical(left)).toBe(canonical(right));
  });

  test.each(different)("%s %s is not %s %s", (before, left, after, right) => {
    const canonical = canonicalFor(before, after);
    expect(canonical(left)).not.toBe(canonical(right));
  });

  test("NULL is no text", () => {
    expect(canonicalFor("text", "boolean")(null)).toBeNull();
  });
});

describe("isSecretColumn", () => {
  const secret =
    "password Password userpassword passwd password_hash pwd api_key apiKey access_token refreshTokens secret client_secret ssn iban card_number cvv otp_secret pin totp session_cookie salt dob";
  test.each(secret.split(" "))("%s", (name) => {
    expect(isSecretColumn(name)).toBe(true);
  });

  const open = "id email name status keyboard monkey cardinality spinning authored passed pinned address";
  test.each(open.split(" "))("not %s", (name) => {
    expect(isSecretColumn(name)).toBe(false);
  });
});
