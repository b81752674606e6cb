import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parser } from "@lezer/python";
import { describe, expect, test } from "vitest";
import { type Node, parsePython } from "../../../src/tools/alembic/python/node";

type Lezers = ReturnType<typeof parser.parse>["topNode"];

function ofLezer(node: Lezers): string {
  const below: string[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) below.push(ofLezer(child));
  return `${node.name}${node.type.isError ? "!" : ""}[${node.from},${node.to}](${below.join("")})`;
}

function ofOurs(node: Node): string {
  const below: string[] = [];
  let before: Node | null = null;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.parent !== node || child.prevSibling !== before) throw new Error("a wrong neighbour");
    before = child;
    below.push(ofOurs(child));
  }
  if (node.lastChild !== before) throw new Error("a wrong last child");
  return `${node.name}${node.isError ? "!" : ""}[${node.from},${node.to}](${below.join("")})`;
}

function hasError(node: Lezers): boolean {
  let found = false;
  node.cursor().iterate(({ type }) => {
    found ||= type.isError;
  });
  return found;
}

function expectLezers(text: string): void {
  const wanted = parser.parse(text).topNode;
  expect(ofOurs(parsePython(text))).toBe(ofLezer(wanted));
  expect(parsePython(text).hasError).toBe(hasError(wanted));
}

const text = `"""Orders."""
import sqlalchemy as sa
from alembic import op

down_revision = ("a", 'b')


@decorated
def upgrade(engine: str = "x", *rest) -> None:
    with op.batch_alter_table(f"t{1}") as batch:  # beside
        batch.drop_column([name for name in names if name][0], lambda x: -x)
    if a == b:
        pass
    else:
        raise ValueError("x") from error
`;

describe("nodes are lezer's", () => {
  test("of the example's files", () => {
    const examples = path.join(__dirname, "..", "..", "..", "examples");
    const files = readdirSync(examples, { recursive: true, encoding: "utf8" });
    const python = files.filter((file) => file.endsWith(".py"));
    expect(python.length).toBeGreaterThan(30);
    for (const file of python) expectLezers(readFileSync(path.join(examples, file), "utf8"));
  });

  test("with a mistake anywhere", () => {
    for (let at = 0; at <= text.length; at++) {
      expectLezers(text.slice(0, at));
      expectLezers(`${text.slice(0, at)})${text.slice(at + 1)}`);
    }
  });

  test("of texts that need no buffer, or many", () => {
    expectLezers("");
    expectLezers(`x = ${"(".repeat(400)}1${")".repeat(400)}\n`);
    expectLezers(text.repeat(60));
  });

  test("in the order of the text, without what is left out", () => {
    const seen: string[] = [];
    parsePython("def f():\n    g(1)\nx = 2\n").iterate((node) => {
      seen.push(node.name);
      return node.name !== "Body";
    });
    expect(seen.join(" ")).toBe(
      "Script FunctionDefinition def VariableName ParamList ( ) Body AssignStatement VariableName AssignOp Number",
    );
  });
});
