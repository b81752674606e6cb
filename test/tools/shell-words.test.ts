import { expect, test } from "vitest";
import { shellWords } from "../../src/tools/shell-words";

test.each([
  ["uv run alembic", ["uv", "run", "alembic"]],
  ["  a\t b\n", ["a", "b"]],
  [`fly ssh console -C "boards-migrate {args}"`, ["fly", "ssh", "console", "-C", "boards-migrate {args}"]],
  [`a 'b "c" \\' d`, ["a", `b "c" \\`, "d"]],
  [`a"b c"'d e'f`, ["ab cd ef"]],
  [`"a\\"b\\c\\\\"`, [`a"b\\c\\`]],
  [`a\\ b \\'c`, ["a b", "'c"]],
  [`'' ""`, ["", ""]],
  ["$HOME `x` *", ["$HOME", "`x`", "*"]],
  ["", []],
])("%j", (text, words) => {
  expect(shellWords(text)).toEqual(words);
});

test("a quote that is not closed", () => {
  expect(() => shellWords(`alembic -x "a`)).toThrow(
    `The command has a quote (") that is not closed: alembic -x "a`,
  );
});
