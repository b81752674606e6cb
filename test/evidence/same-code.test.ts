import { expect, test } from "vitest";
import { isSameCode } from "../../src/evidence/same-code";

const written = (body: string, language = "plpgsql", more: object = {}) =>
  JSON.stringify({
    definition: `CREATE OR REPLACE FUNCTION public.f()\n RETURNS trigger\n LANGUAGE ${language}\nAS $function$${body}$function$\n`,
    ...more,
  });

const body = "\nbegin\n    new.name = 'a  b'; -- the name\n    return new;\nend;\n";

const others: Readonly<Record<string, { text: string; isSame: boolean; key?: string }>> = {
  "indented otherwise": {
    text: written("\nBEGIN\n".toLowerCase() + body.slice(7).replaceAll("    ", "\t")),
    isSame: true,
  },
  "a blank line more": { text: written(body.replace("return", "\n    return")), isSame: true },
  "another string": { text: written(body.replace("a  b", "a b")), isSame: false },
  "a comment that takes in code": { text: written(body.replace("name\n", "name")), isSame: false },
  "another word": { text: written(body.replace("return new", "return old")), isSame: false },
  "another comment on it": { text: written(`${body} `, "plpgsql", { comment: "old" }), isSame: false },
  "a language that reads white space": { text: written(`${body} `, "plpython3u"), isSame: false },
  "no function": { text: written(`${body} `), isSame: false, key: "view public.f" },
};

test.each(Object.entries(others))(
  "a function with %s",
  (_, { text, isSame, key = "function public.f()" }) => {
    const language = text.includes("plpython3u") ? "plpython3u" : "plpgsql";
    expect(isSameCode(key, written(body, language), text)).toBe(isSame);
  },
);

test("what is not there is not the same", () => {
  expect(isSameCode("function public.f()", written(body), undefined)).toBe(false);
});

test.each([
  ["an escaped quote", "begin return E'it\\'s  a'; end", "begin return E'it\\'s a'; end"],
  ["a dollar quote of its own", "begin return $$a  b$$; end", "begin return $$a b$$; end"],
])("white space behind %s may be a string's", (_, one, other) => {
  expect(isSameCode("function public.f()", written(one), written(other))).toBe(false);
});
