import { expect, test } from "vitest";
import { rules } from "../../src/rules/index";
import type { Rule } from "../../src/rules/rule";

/** Its advice for files of SQL is made from the file's name. */
const own = ["require-downgrade"];

test.each(Object.entries<Rule>(rules).filter(([id]) => !own.includes(id)))(
  "what %s advises for a file of SQL has no Python",
  (_, { do: advice, doInSql }) => {
    expect(doInSql ?? advice).not.toMatch(
      /\bop\.|autocommit_block|postgresql_|mapped_column|__tablename__|server_default|downgrade\(\)/,
    );
  },
);
