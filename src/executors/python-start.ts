import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { isExecutable, startOfFile } from "./executable";

/** How a Python program is started. */
export interface PythonStart {
  /** The interpreter and its options; of a launcher (`uv run`) its words and `python`. */
  readonly interpreter: readonly string[];
  /** What Python puts before all other places of modules. */
  readonly firstPlace: string;
  /** A script by its path, or a module as `python -m` takes it. */
  readonly runs: { readonly script: string } | { readonly module: string };
  readonly args: readonly string[];
}

/** `uv run alembic`: the launcher makes the environment, in which the program is found by its name. */
export interface LauncherStart {
  readonly launcher: readonly string[];
  readonly program: string;
  readonly args: readonly string[];
}

/** Programs that run another one in a project's own Python environment and change nothing but variables. */
const launchers = new Set(["uv", "poetry"]);

export function launcherStart(
  file: string,
  [command, program, ...args]: readonly string[],
): LauncherStart | undefined {
  if (!launchers.has(basename(file)) || command !== "run" || program === undefined) return undefined;
  return /^\w[\w.-]*$/.test(program) ? { launcher: [file, command], program, args } : undefined;
}

/**
 * The start of a console script as installers write it (pip, uv, Poetry: an import and a call, nothing else) whose program is
 * in one of `modules`, or of `python -m` with the package of one; of any program that is started so with `anyProgram`.
 * Undefined for every other one: a project's own may be about to change what is loaded.
 */
export function pythonStart(
  file: string,
  args: readonly string[],
  {
    cwd,
    path,
    modules,
    anyProgram = false,
  }: {
    readonly cwd: string;
    readonly path: string | undefined;
    readonly modules: readonly string[];
    readonly anyProgram?: boolean | undefined;
  },
): PythonStart | undefined {
  if (pythonName.test(basename(file))) {
    const [option, module = "", ...rest] = args;
    const isOurs = modules.some((name) => name.startsWith(`${module}.`));
    // Not a module that is loaded before it is run.
    const packageOf = (name: string) => name.split(".", 1)[0];
    const isOther = anyProgram && !modules.some((name) => packageOf(name) === packageOf(module));
    if (option !== "-m" || !/^\w[\w.]*$/.test(module) || !(isOurs || isOther)) return undefined;
    return { interpreter: [file], firstPlace: resolve(cwd), runs: { module }, args: rest };
  }
  const text = startOfFile(file, mostBytes);
  if (text === undefined || Buffer.byteLength(text) >= mostBytes) return undefined;
  const interpreter = interpreterOf(text, path);
  const entry = entryModule(text);
  if (interpreter === undefined || entry === undefined) return undefined;
  if (!anyProgram && !modules.includes(entry)) return undefined;
  return { interpreter, firstPlace: dirname(realpathSync(file)), runs: { script: file }, args };
}

const pythonName = /^python(?:3(?:\.\d+)?)?$/;

/** Entry points are some 200 bytes; the path of a long interpreter adds to it. */
const mostBytes = 4096;

/** `#!/path/python`, `#!/usr/bin/env python3`, or for a path with spaces or too long for the kernel a shell's exec. */
function interpreterOf(text: string, path: string | undefined): readonly string[] | undefined {
  const [first = "", second = ""] = text.split("\n", 2);
  const shell = /^'''exec' (?:"([^"$`\\]+)"|(\/\S+)) "\$0" "\$@"$/.exec(second);
  if (first === "#!/bin/sh" && shell !== null) return named([shell[1] ?? shell[2] ?? ""]);
  const [program, ...options] = /^#!\s*(\/.*)$/.exec(first)?.[1]?.trim().split(/\s+/) ?? [];
  if (program === undefined) return undefined;
  if (basename(program) !== "env") return options.length > 1 ? undefined : named([program, ...options]);
  const [name, ...more] = options;
  const found = name === undefined || more.length > 0 ? undefined : inPath(name, path);
  return found === undefined ? undefined : named([found]);
}

function named(interpreter: readonly [string, ...string[]]): readonly string[] | undefined {
  return pythonName.test(basename(interpreter[0])) ? interpreter : undefined;
}

/** As `env` looks for it; a folder that is relative means another one in each place. */
function inPath(name: string, path: string | undefined): string | undefined {
  const folders = (path ?? "").split(":");
  if (!folders.every(isAbsolute)) return undefined;
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The module from which an entry point takes its program; undefined where a line is none of those that installers write. */
function entryModule(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => !/^(?:\s*#.*|\s*|'''exec' .*|' ''')$/.test(line));
  const modules = lines.flatMap((line) => entryImport.exec(line)?.[1] ?? []);
  return modules.length === 1 && lines.every((line) => entryLine.test(line) || entryImport.test(line))
    ? modules[0]
    : undefined;
}

const entryImport = /^from ([\w.]+) import \w+(?: as \w+)?\s*$/;
const entryLine =
  /^\s*(?:import (?:re|sys)|if __name__ == ["']__main__["']:|(?:el)?if sys\.argv\[0\]\.endswith\(["'][\w.-]+["']\):|sys\.argv\[0\] = (?:re\.sub\(|sys\.argv\[0\])[^;]*|sys\.exit\(\w+(?:\.\w+)*\(\)\))\s*$/;
