import { expect, test } from "vitest";
import { parseAddress } from "../../src/databases/postgres/connection";
import { toolEnvironment } from "../../src/deploy/tool-environment";

const variable = "DATABASE_URL";

/** What the tool finds in its variable where the address came from elsewhere. */
function given(url: string, format: string): string | undefined {
  const settings = {
    "database-url-env": variable,
    "bind-url-env": [],
    bind: undefined,
    "database-url-format": format,
    env: [],
  };
  const about = { url, options: undefined, applicationName: "x" };
  return toolEnvironment({}, settings, parseAddress(url, "database-url"), about)[variable];
}

const safe = "postgresql://u:p%40ss@h:5433/d?sslmode=verify-full&options=-c%20search_path%3Dboards";

test("{url} and a scheme keep what decides how safely and where the tool works", () => {
  for (const format of ["{url}", "postgresql+psycopg2"]) {
    const url = new URL(given(safe, format) ?? "");
    expect(url.searchParams.get("sslmode"), format).toBe("verify-full");
    expect(url.searchParams.get("options"), format).toBe("-c search_path=boards");
  }
});

test("a template that would drop it is refused, one that has its own is not", () => {
  const template = "postgresql+asyncpg://{user}:{password}@{host}:{port}/{database}";
  expect(() => given(safe, template)).toThrow(
    "would lead the tool to the database without sslmode=verify-full and options",
  );
  expect(given(safe, `${template}?ssl=verify-full&options=x`)).toBe(
    "postgresql+asyncpg://u:p%40ss@h:5433/d?ssl=verify-full&options=x",
  );
  expect(given("postgresql://u:p@h/d", template)).toBe("postgresql+asyncpg://u:p@h:5432/d");
});
