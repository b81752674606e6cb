import { closeSync, openSync, readSync, realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { findInPath } from "./executable";

/** How a Python program is started: the interpreter with its options, and what it runs. */
export interface PythonStart {
  /** Absolute, and its options. */
  readonly interpreter: readonly string[];
  /** What Python puts before all other places of modules. */
  readonly firstPlace: string;
  /** A script by its path, or a module as `python -m` takes it. */
  readonly runs: { readonly script: string } | { readonly module: string };
  readonly args: readonly string[];
}

/**
 * The start of a console script as installers write it (pip, uv, Poetry: an import and a call, nothing else), or of
 * `python -m module`; undefined for every other program, whose first lines may be about to change what is loaded.
 */
export function pythonStart(
  file: string,
  args: readonly string[],
  cwd: string,
  path: string | undefined,
): PythonStart | undefined {
  if (pythonName.test(basename(file))) {
    const [option, module, ...rest] = args;
    if (option !== "-m" || module === undefined || module.startsWith("-")) return undefined;
    return { interpreter: [file], firstPlace: resolve(cwd), runs: { module }, args: rest };
  }
  const text = startOf(file);
  const interpreter = text === undefined ? undefined : interpreterOf(text, path);
  if (text === undefined || interpreter === undefined || !isEntryPoint(text)) return undefined;
  return { interpreter, firstPlace: dirname(realpathSync(file)), runs: { script: file }, args };
}

const pythonName = /^python(?:3(?:\.\d+)?)?$/;

/** Entry points are some 200 bytes; the path of a long interpreter adds to it. */
const mostBytes = 4096;

function startOf(file: string): string | undefined {
  const buffer = Buffer.alloc(mostBytes);
  try {
    const handle = openSync(file, "r");
    try {
      const length = readSync(handle, buffer, 0, mostBytes, 0);
      return length === mostBytes ? undefined : buffer.toString("utf8", 0, length);
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined; // Executable, and not readable.
  }
}

/** `#!/path/python`, `#!/usr/bin/env python3`, or for a path with spaces or too long for the kernel a shell's exec. */
function interpreterOf(text: string, path: string | undefined): readonly string[] | undefined {
  const [first = "", second = ""] = text.split("\n", 2);
  const shell = /^'''exec' (?:"([^"$`\\]+)"|(\/\S+)) "\$0" "\$@"$/.exec(second);
  if (first === "#!/bin/sh" && shell !== null) return named([shell[1] ?? shell[2] ?? ""]);
  const [program, ...options] = /^#!\s*(\/.*)$/.exec(first)?.[1]?.trim().split(/\s+/) ?? [];
  if (program === undefined) return undefined;
  if (basename(program) !== "env") return options.length > 1 ? undefined : named([program, ...options]);
  const [name, ...more] = options;
  const found =
    name === undefined || more.length > 0 || !pythonName.test(name) ? undefined : findInPath(name, path);
  return found === undefined ? undefined : [found];
}

function named(interpreter: readonly [string, ...string[]]): readonly string[] | undefined {
  return pythonName.test(basename(interpreter[0])) ? interpreter : undefined;
}

/** Every line of code is one of those that installers write. */
function isEntryPoint(text: string): boolean {
  const lines = text.split("\n").filter((line) => !/^(?:\s*#.*|\s*|'''exec' .*|' ''')$/.test(line));
  return lines.some((line) => entryImport.test(line)) && lines.every((line) => entryLine.test(line));
}

const entryImport = /^\s*from [\w.]+ import \w+(?: as \w+)?$/;
const entryLine =
  /^\s*(?:import (?:re|sys)|from [\w.]+ import \w+(?: as \w+)?|if __name__ == ["']__main__["']:|(?:el)?if sys\.argv\[0\]\.endswith\(["'][\w.-]+["']\):|sys\.argv\[0\] = (?:re\.sub\(|sys\.argv\[0\]).*|sys\.exit\(\w+(?:\.\w+)*\(\)\))\s*$/;
