import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { ToolError, UserError } from "../errors";

/** How programs are installed, by their names, as a message says it. */
export type InstalledBy = Readonly<Record<string, string>>;

/**
 * The file that runs as `command`: a path relative to `cwd`, or a name looked for in PATH as a shell would.
 * Not there, not executable, or a script whose interpreter is gone: a ToolError that says what to install or set.
 */
export function findExecutable(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  installedBy: InstalledBy = {},
): string {
  if (!isDirectory(cwd)) {
    throw new UserError({
      what: `The folder "${cwd}" in which the migration tool is to run does not exist.`,
      do: "Set project to the folder that holds the migration tool's configuration.",
    });
  }
  const path = env.PATH ?? "";
  const candidates = command.includes("/")
    ? [resolve(cwd, command)]
    : path.split(delimiter).map((folder) => resolve(cwd, folder, command));
  const found = candidates.find(isExecutable);
  if (found === undefined)
    throw notFound({ command, cwd, plainFile: candidates.find(isFile), path, installedBy });
  const interpreter = missingInterpreter(found);
  if (interpreter !== undefined) {
    throw new ToolError({
      what: `The command "${command}" cannot start: its interpreter "${interpreter}" does not exist.`,
      where: found,
      why: "A virtual environment that was moved or copied keeps the old path in its scripts.",
      do: "Create the virtual environment again where the gate runs, or set run: to a command that works there.",
    });
  }
  return found;
}

/** Where `name` is in PATH or the folders for administrators, which an ordinary user's PATH may lack. */
export function findInPath(name: string, path: string | undefined): string | undefined {
  const folders = [...(path ?? "").split(delimiter), "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
  return folders
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

interface Missing {
  readonly command: string;
  readonly cwd: string;
  /** It is there, and cannot be executed. */
  readonly plainFile: string | undefined;
  readonly path: string;
  readonly installedBy: InstalledBy;
}

function notFound({ command, cwd, plainFile, path, installedBy }: Missing): ToolError {
  if (plainFile !== undefined) {
    return new ToolError({
      what: `The command "${command}" is not executable.`,
      where: plainFile,
      do: `Type chmod +x "${plainFile}", or set run: to an interpreter and the file, for example run: python ${command}.`,
    });
  }
  const name = command.split("/").at(-1) ?? command;
  const local = [".venv/bin", "venv/bin", "env/bin"]
    .map((folder) => `${folder}/${name}`)
    .find((file) => isExecutable(join(cwd, file)));
  const own = installedBy[name];
  const install =
    "Install the project's requirements before the gate runs (for example pip install -r requirements.txt)";
  const whole =
    name === "uv" || name === "poetry"
      ? `to what starts the tool without ${name}, as the project's environment has it, for example run: .venv/bin/alembic.`
      : `to the whole command, for example run: uv run ${name}.`;
  return new ToolError({
    what: `The command "${command}" was not found.`,
    where: `folder ${cwd}`,
    seen: command.includes("/") ? "No such file." : `Not in PATH: ${path === "" ? "it is empty" : path}`,
    do:
      local === undefined
        ? own === undefined
          ? `${install}, or set run: ${whole}`
          : `Install it before the gate runs: ${own}; or set run: to what starts it.`
        : `Set run: ${local}, which exists.`,
  });
}

/** The first word after `#!` where that file does not exist. The kernel reads at most 256 bytes (Linux 5.1 on). */
function missingInterpreter(file: string): string | undefined {
  const match = /^#![ \t]*(\/[^\s]*)/.exec(startOfFile(file, 256) ?? "");
  const interpreter = match?.[1];
  return interpreter !== undefined && !isFile(interpreter) ? interpreter : undefined;
}

/** What a program's first bytes say; undefined where it is executable and not readable: it may be run all the same. */
export function startOfFile(file: string, bytes: number): string | undefined {
  const buffer = Buffer.alloc(bytes);
  try {
    const handle = openSync(file, "r");
    try {
      return buffer.toString("utf8", 0, readSync(handle, buffer, 0, bytes, 0));
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined;
  }
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return isFile(file);
  } catch {
    return false;
  }
}

function isFile(file: string): boolean {
  return kindOf(file) === "file";
}

function isDirectory(folder: string): boolean {
  return kindOf(folder) === "folder";
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? "file" : stat.isDirectory() ? "folder" : undefined;
  } catch {
    return undefined;
  }
}
