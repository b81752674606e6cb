import type { Remark, RevisionBody } from "../../model/operation";
import type { Direction, Revision, RevisionFunction, SourceLocation } from "../../model/revision";
import type { ReadProblem } from "../contract";
import { later, once, withLater } from "./later";
import { functionOf, readOperations } from "./operations/read-operations";
import { callsOf } from "./python/calls";
import type { Constant } from "./python/constants";
import { type Effect, effectOf } from "./python/effects";
import { type PythonFunction, type PythonModule, readModule } from "./python/module";
import { parsePython } from "./python/node";
import { type ModuleHead, type PlainHead, plainHead } from "./python/plain-head";
import { remarksOf } from "./python/remarks";
import { decodePython, type PythonSource } from "./python/source";
import { firstError } from "./python/tree";

/** One file of a versions folder, read: a revision unless Alembic would stop at it. */
export interface RevisionFile {
  readonly revision: Revision | undefined;
  readonly problems: readonly ReadProblem[];
  /** Parses the rest of the file: where it does not parse. */
  bodyProblems(): readonly ReadProblem[];
  /** Reads the operations and the remarks of the whole file, once. */
  body(): RevisionBody;
}

/** What is read behind a file's head. */
interface Functions extends Pick<Revision, "upgrade" | "downgrade"> {
  readonly problems: readonly ReadProblem[];
}

const functionsLater = later<Functions, "upgrade" | "downgrade">("upgrade", "downgrade");
const callsLater = later<Required<RevisionFunction>, "calls">("calls");
const effectLater = later<Required<RevisionFunction>, "empty" | "irreversible" | "calls">(
  "empty",
  "irreversible",
  "calls",
);

const attributes = ["revision", "down_revision", "branch_labels", "depends_on"] as const;
const definition = /^(?:async[ \t]+def|def|class|@)/m;
const anyAttribute = `(?:${attributes.join("|")})\\b`;
const attribute = new RegExp(`\\b${anyAttribute}`);
/** A line that may bind one of them: it stands at the module's own level, or assigns below an `if`. */
const lateAttribute = new RegExp(
  `^(?:[^\\s#].*\\b${anyAttribute}|[ \\t]+(?:.*;[ \\t]*)?${anyAttribute}[ \\t]*[:=,])`,
  "m",
);

/**
 * Reads what Alembic's Script holds, as `alembic` 1.20.1 does when it runs the file. Only the part before the first
 * function is parsed at once (a tenth of the file); upgrade and downgrade are read when they are first asked for. Of several
 * databases those of `bind`, of all without it.
 */
export function readRevisionFile(file: string, bytes: Uint8Array, bind?: string): RevisionFile {
  const source = decodePython(bytes);
  if (source === undefined) {
    const text = `${file} is not text in the encoding that Python reads it in (UTF-8, unless the first lines name another).`;
    return failed({ kind: "syntax", file, line: 1, column: 1, text });
  }
  const { head, tail } = headOf(source) ?? { head: readModule(source, parsePython(source.text)) };
  const location = placeOf(head, "revision", file);
  const id = head.places.has("revision") ? head.constants.get("revision") : legacyId(file);
  const problem = idProblem(id, head, location);
  if (problem !== undefined || typeof id !== "string") {
    // Where the line that sets it does not parse, that is what to say.
    const isSet = problem?.kind === "no-revision-id" && /^[ \t]*revision\b/m.test(source.text);
    const [broken] = isSet ? syntaxProblems(readModule(source, parsePython(source.text)), file) : [];
    return failed(
      broken ??
        problem ?? {
          ...location,
          kind: "not-a-constant",
          text: `revision in ${file} is not a constant string.`,
        },
    );
  }

  const values = attributes.slice(1).map((name) => names(head, name));
  const problems = attributes.slice(1).flatMap((name, index): ReadProblem[] => {
    if (values[index] !== undefined) return [];
    const text = `${name} in ${file} is not a constant.`;
    return [{ kind: "not-a-constant", ...placeOf(head, name, file), text }];
  });
  if (!head.places.has("down_revision")) {
    problems.push({ kind: "no-revision-id", ...location, text: `${file} has no down_revision.` });
  }
  // All at once, so that the tree is not kept.
  const parse = (): PythonModule => readModule(source, parsePython(source.text, tail?.from), tail?.before);
  const functionsOf = (whole: PythonModule): Functions => ({
    upgrade: readFunction(whole, "upgrade", file, bind, parse),
    downgrade: declared(readFunction(whole, "downgrade", file, bind, parse), remarksOf(whole, file)),
    problems: syntaxProblems(whole, file),
  });
  let functions: Functions | undefined;
  const rest = () => {
    functions ??= functionsOf(parse());
    return functions;
  };
  // Who asks for this asks for the functions too: the file is parsed once for both.
  const body = once((): RevisionBody => {
    const whole = parse();
    functions ??= functionsOf(whole);
    const upgrade = readOperations(whole, "upgrade", file, bind);
    const downgrade = readOperations(whole, "downgrade", file, bind);
    return {
      operations: [...upgrade.operations, ...downgrade.operations],
      remarks: [...remarksOf(whole, file), ...upgrade.remarks, ...downgrade.remarks],
    };
  });
  const known = {
    id,
    parents: values[0] ?? [],
    dependsOn: values[2] ?? [],
    labels: values[1] ?? [],
    location,
    message: head.docstring.trim().split("\n")[0]?.trim() ?? "",
    created: /^Create Date:\s*(\S.*?)\s*$/m.exec(head.docstring)?.[1],
  };
  const revision = withLater(known, rest, functionsLater);
  return { revision, problems, bodyProblems: () => rest().problems, body };
}

/** A file that is no revision: Alembic would stop at it. */
export function failed(problem: ReadProblem): RevisionFile {
  return {
    revision: undefined,
    problems: [problem],
    bodyProblems: () => [],
    body: () => ({ operations: [], remarks: [] }),
  };
}

/** A remark in the function, above it or at the top of the file says that there is no way back, and why. */
function declared(
  fn: RevisionFunction | undefined,
  remarks: readonly Remark[],
): RevisionFunction | undefined {
  const said = remarks.find(({ text, covers, line }) => {
    if (fn === undefined || !/^irreversible\b/.test(text)) return false;
    const within = (at: number): boolean => at >= fn.line && at <= fn.endLine;
    return within(line) || covers === "file" || (covers !== undefined && within(covers.from));
  });
  if (fn === undefined || said === undefined) return fn;
  const reason = /^irreversible\s+because\s+(\S.*)/.exec(said.text)?.[1];
  return { ...fn, irreversible: reason ?? fn.irreversible ?? "" };
}

function idProblem(
  id: Constant | undefined,
  head: ModuleHead,
  location: SourceLocation,
): ReadProblem | undefined {
  const { file } = location;
  if (!head.places.has("revision") && id === undefined) {
    return {
      ...location,
      kind: "no-revision-id",
      text: `${file} sets no revision, and Alembic takes every .py file here for one.`,
    };
  }
  if (typeof id !== "string") {
    const text = `revision in ${file} is not a constant string.`;
    return { ...location, kind: "not-a-constant", text };
  }
  const refused = [...new Set(id.match(/[@\-+:]/g) ?? [])].join(" ");
  if (refused === "") return undefined;
  return {
    ...location,
    kind: "illegal-id",
    text: `The revision id "${id}" has ${refused}, which Alembic refuses.`,
  };
}

/** Alembic's oldest files have no `revision`: a name of hexadecimal digits is the id. */
function legacyId(file: string): string | undefined {
  return /(?:^|\/)([a-f0-9]+)\.py$/.exec(file)?.[1];
}

/** What is read before the rest of the file; `tail` where the functions can be read without it. */
interface Head {
  readonly head: ModuleHead;
  readonly tail?: { readonly from: number; readonly before: PlainHead } | undefined;
}

/** The module up to its first function; undefined where the rest may matter. */
function headOf(source: PythonSource): Head | undefined {
  const from = source.text.search(definition);
  const rest = source.text.slice(from);
  const isNamed = attribute.test(rest);
  if (from <= 0 || (isNamed && lateAttribute.test(rest))) return undefined;
  const plain = plainHead(source, from);
  const head = plain ?? parsedHead(source, from);
  if (head?.places.has("revision") !== true || !head.places.has("down_revision")) return undefined;
  const isApart = plain !== undefined && !isNamed && isOwn(plain) && !source.text.includes("migration-gate:");
  return { head, tail: isApart ? { from, before: plain } : undefined };
}

function parsedHead(source: PythonSource, end: number): ModuleHead | undefined {
  const top = parsePython(source.text.slice(0, end));
  return firstError(top) === undefined ? readModule(source, top) : undefined;
}

/** It assigns what Alembic reads and nothing that functions may use, and the functions are not imported. */
function isOwn({ places, imports }: PlainHead): boolean {
  return (
    [...places.keys()].every((name) => attributes.some((known) => known === name)) &&
    [...imports.keys()].every((name) => !/^(?:up|down)grade/.test(name))
  );
}

/** The strings of an attribute: none for None or an absent one; undefined where it is computed. */
function names(module: ModuleHead, attribute: string): readonly string[] | undefined {
  if (!module.places.has(attribute)) return [];
  const value = module.constants.get(attribute);
  if (value === undefined) return undefined;
  if (value === null) return [];
  return typeof value === "string" ? [value] : value.filter((item) => item !== null);
}

function placeOf(module: ModuleHead, name: string, file: string): SourceLocation {
  const place = module.places.get(name);
  return { file, ...(place === undefined ? { line: 1, column: 1 } : module.source.position(place.from)) };
}

function readFunction(
  module: PythonModule,
  direction: Direction,
  file: string,
  bind: string | undefined,
  parse: () => PythonModule,
): RevisionFunction | undefined {
  const name = functionOf(module, direction, bind);
  const place = module.places.get(name);
  if (place === undefined) return undefined;
  const { source } = module;
  const fn = module.functions.get(name);
  const node = fn?.node ?? place;
  const position = {
    file,
    ...source.position(node.from),
    endLine: source.position(lastCharacter(node, source.text)).line,
  };
  // Imported or made by a call: what it does is not in this file.
  if (fn === undefined) return { ...position, empty: false, irreversible: undefined, calls: [] };
  // Few ask for the rest: the file is parsed once more then, so that no tree is kept.
  const again = <T>(read: (fn: PythonFunction, module: PythonModule) => T): T => {
    const whole = parse();
    return read(whole.functions.get(name)!, whole);
  };
  const calls = once(() => ({ calls: again(callsOf) }));
  if (direction === "downgrade")
    return withLater({ ...position, ...shownEffect(effectOf(fn, module)) }, calls, callsLater);
  const rest = once(() => withLater(shownEffect(again(effectOf)), calls, callsLater));
  return withLater(position, rest, effectLater);
}

function shownEffect(effect: Effect): Pick<RevisionFunction, "empty" | "irreversible"> {
  return {
    empty: effect.kind === "nothing",
    irreversible: effect.kind === "refuses" ? effect.reason : undefined,
  };
}

function lastCharacter(node: { from: number; to: number }, text: string): number {
  return node.from + text.slice(node.from, node.to).trimEnd().length - 1;
}

function syntaxProblems(module: PythonModule, file: string): readonly ReadProblem[] {
  const at = firstError(module.top);
  if (at === undefined) return [];
  const position = module.source.position(at);
  return [
    { kind: "syntax", file, ...position, text: `${file} does not parse as Python at line ${position.line}.` },
  ];
}
