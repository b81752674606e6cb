import { assignedConstant, type Constant } from "./constants";
import { importedNames } from "./imports";
import type { PythonSource } from "./source";
import { assignments, isExpression, type Node, statements, textOf } from "./tree";

/** What a module's own statements bind, read without running it. */
export interface PythonModule {
  readonly source: PythonSource;
  readonly top: Node;
  /** Every name that a statement of the module assigns; undefined where the value is not constant. */
  readonly constants: ReadonlyMap<string, Constant | undefined>;
  /** Where a name was last bound: the value's nodes of an assignment. */
  readonly values: ReadonlyMap<string, readonly Node[]>;
  /** The statement that last bound a name. */
  readonly places: ReadonlyMap<string, Node>;
  readonly functions: ReadonlyMap<string, PythonFunction>;
  /** What imports bind, whatever is bound later: the name in the file → the dotted name that it stands for. */
  readonly imports: ReadonlyMap<string, string>;
  readonly docstring: string;
}

export interface PythonFunction {
  readonly node: Node;
  readonly body: Node | undefined;
  readonly decorated: boolean;
}

/**
 * Reads the module's statements in order; those under `if` and `try` bind names, their values are not constant. Where the
 * first ones are not in the tree, `before` is what they import and the docstring.
 */
export function readModule(
  source: PythonSource,
  top: Node,
  before?: Pick<PythonModule, "imports" | "docstring">,
): PythonModule {
  const { text } = source;
  const constants = new Map<string, Constant | undefined>();
  const values = new Map<string, readonly Node[]>();
  const places = new Map<string, Node>();
  const functions = new Map<string, PythonFunction>();
  const imports = new Map(before?.imports);
  const bind = (name: string, place: Node, value: Constant | undefined, nodes: readonly Node[]): void => {
    constants.set(name, value);
    values.set(name, nodes);
    places.set(name, place);
    functions.delete(name);
  };

  const define = (node: Node, decorated: boolean): void => {
    const name = node.getChild("VariableName");
    if (name === null) return;
    bind(textOf(name, text), node, undefined, []);
    functions.set(textOf(name, text), { node, body: node.getChild("Body") ?? undefined, decorated });
  };
  const visit = (statement: Node, certain: boolean): void => {
    switch (statement.name) {
      case "AssignStatement":
        for (const assignment of assignments(statement, text)) {
          const value = certain ? assignedConstant(assignment, text, constants) : undefined;
          const [only] = assignment.values;
          const alias = only?.name === "VariableName" ? functions.get(textOf(only, text)) : lambdaOf(only);
          for (const name of assignment.names) {
            bind(name, statement, value, assignment.values);
            if (alias !== undefined && assignment.names.length === 1) functions.set(name, alias);
          }
        }
        return;
      case "ImportStatement":
        for (const [name, dotted] of importedNames(statement, text)) {
          imports.set(name, dotted);
          if (name !== "*" && !statement.hasError) bind(name, statement, undefined, []);
        }
        if (statement.hasError)
          for (const name of namesAmongErrors(statement, text)) bind(name, statement, undefined, []);
        return;
      case "FunctionDefinition":
        define(statement, false);
        return;
      case "DecoratedStatement": {
        const definition = statement.getChild("FunctionDefinition");
        if (definition !== null) define(definition, true);
        return;
      }
      case "IfStatement":
      case "TryStatement":
      case "WithStatement":
        for (const body of statement.getChildren("Body")) {
          for (const inner of statements(body)) visit(inner, certain && statement.name === "WithStatement");
        }
        return;
      default:
    }
  };
  const all = statements(top);
  for (const statement of all) visit(statement, true);
  const docstring = before?.docstring ?? docstringOf(all[0], text);
  return { source, top, constants, values, places, functions, imports, docstring };
}

function lambdaOf(value: Node | undefined): PythonFunction | undefined {
  if (value?.name !== "LambdaExpression") return undefined;
  return { node: value, body: undefined, decorated: false };
}

function docstringOf(first: Node | undefined, text: string): string {
  const expressions = first?.name === "ExpressionStatement" ? first.children.filter(isExpression) : [];
  const [only] = expressions;
  if (only === undefined || expressions.length > 1 || !/^(Continued)?String$/.test(only.name)) return "";
  const value = assignedConstant(
    { names: [""], elsewhere: false, values: [only], isTuple: false },
    text,
    new Map(),
  );
  return typeof value === "string" ? value : "";
}

/** The names that an import seems to bind which does not parse. */
function namesAmongErrors(statement: Node, text: string): string[] {
  const { children } = statement;
  const start = children.findIndex(({ name }) => name === "import") + 1;
  const groups: string[][] = [[]];
  for (const node of children.slice(start)) {
    if (node.name === ",") groups.push([]);
    else if (node.name === "VariableName" || node.name === "as") groups.at(-1)?.push(textOf(node, text));
  }
  return groups.flatMap((group) => {
    const renamed = group.indexOf("as");
    return (renamed >= 0 ? group[renamed + 1] : group[0]) ?? [];
  });
}
