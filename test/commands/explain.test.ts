import { describe, expect, test } from "vitest";
import { explain } from "../../src/commands/explain";
import { UserError } from "../../src/errors";
import { ruleIds } from "../../src/findings/rule-ids";
import { paintFor } from "../../src/reports/terminal";

const plain = paintFor(process.stdout, { NO_COLOR: "1" });

function refusal(words: readonly string[]): string {
  try {
    explain(words, plain);
  } catch (error) {
    if (error instanceof UserError) return `${error.parts.what} ${error.parts.do}`;
    throw error;
  }
  throw new Error("it did not refuse");
}

describe("explain", () => {
  test.each(ruleIds.map((id) => [id]))("%s", (id) => {
    const page = explain([id], plain);
    expect(page.startsWith(`${id}\n`)).toBe(true);
    for (const heading of ["Why", "Do", "To accept a finding"]) expect(page).toContain(`\n${heading}\n`);
  });

  test("shows a lint rule's examples and what the server did with them", () => {
    const page = explain(["require-concurrent-index-creation"], plain);
    expect(page).toContain('op.create_index("users_email", "users", ["email"])');
    expect(page).toContain(
      "CREATE INDEX users_email ON users (email)\n    locks: SHARE on users\n    rewrites: no",
    );
    expect(page).toContain("# migration-gate: allow require-concurrent-index-creation because <reason>");
  });

  test("says what must never be accepted", () => {
    expect(explain(["not-proved"], plain)).toContain("It cannot be accepted: what was not seen is not known");
  });

  test("lists all rules without one", () => {
    const page = explain([], plain);
    for (const id of ruleIds) expect(page).toContain(`  ${id}\n`);
  });

  test("names the nearest rule, or ours for another tool's name", () => {
    expect(refusal(["ban-drop-colum"])).toBe(
      'There is no rule "ban-drop-colum"; the nearest is "ban-drop-column". migration-gate explain ban-drop-column',
    );
    expect(refusal(["xyzzy"])).toBe('There is no rule "xyzzy". migration-gate explain lists all of them.');
    expect(refusal(["adding-required-field"])).toBe(
      'There is no rule "adding-required-field"; another tool\'s name of "require-column-default". migration-gate explain require-column-default',
    );
    expect(refusal(["a", "b"])).toContain("explain takes one rule, and was given 2.");
  });
});
