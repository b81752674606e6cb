import type { ToolProject } from "../contract";
import { isOwnFrame, type Traceback } from "./python/traceback";
import { runWords } from "./run";

/** What one kind of failure says, with the place where it is known better than by the last frame. */
export interface Cause {
  readonly summary: string;
  readonly do: string;
  readonly place?: { readonly file: string; readonly line: number };
  /** True where a running revision is at fault though its code is not in the traceback. */
  readonly ofStep?: boolean;
  readonly isConnection?: boolean;
}

/** The tool did not start at all. */
export function startCause(
  exitCode: number | null | undefined,
  lines: readonly string[],
  project?: ToolProject,
): Cause | undefined {
  const text = lines.join("\n");
  const notFound =
    /command not found|No module named alembic\b|Failed to spawn: `alembic`|^env: .*: No such file|Command not found: alembic/m;
  if (exitCode !== undefined && exitCode !== 127 && exitCode !== 126 && !notFound.test(text))
    return undefined;
  if (exitCode !== undefined && lastTracebackIn(text)) return undefined;
  const words = project === undefined ? ["alembic"] : runWords(project);
  const denied = /permission denied/i.test(text) || exitCode === 126;
  return {
    summary: denied
      ? "The migration tool may not be started: permission denied."
      : "The migration tool is not installed, or not on PATH.",
    do: `Install the project's Python packages before this step, or set run to what starts Alembic (now: ${words.join(" ")}).`,
  };
}

function lastTracebackIn(text: string): boolean {
  return text.includes("Traceback (most recent call last):");
}

const commandErrors: readonly {
  readonly pattern: RegExp;
  readonly cause: (match: RegExpExecArray) => Cause;
}[] = [
  {
    pattern: /^FAILED: (Can't locate revision identified by '(.+)')/m,
    cause: ([, , id]) => ({
      summary: `No revision file has the id "${id}", which the version table or the target names.`,
      do: `Bring back the file of revision ${id}, or take ${id} out of the version table of a database that nobody needs.`,
    }),
  },
  {
    pattern: /^FAILED: Multiple head revisions are present/m,
    cause: () => ({
      summary: "The project has more than one head revision.",
      do: 'Join the heads with "alembic merge heads", or give one the other as its down_revision.',
    }),
  },
  {
    pattern: /^FAILED: Could not determine revision id from filename (\S+)\. /m,
    cause: ([, file]) => ({
      summary: `${file} lies among the revisions and has no revision id.`,
      do: `Move ${file} out of the versions folder, or set revision in it.`,
    }),
  },
  {
    pattern: /^FAILED: Path doesn't exist: ([\s\S]+?)\. {2}Please use/m,
    cause: ([, folder]) => ({
      summary: `script_location names ${JSON.stringify(folder)}, and there is no such folder.`,
      do: "Set working-directory to the folder that alembic runs in, or mend script_location.",
    }),
  },
  {
    pattern: /^FAILED: No 'script_location' key found/m,
    cause: () => ({
      summary: "Alembic found no configuration with script_location where it was started.",
      do: "Set working-directory to the folder that has alembic.ini.",
    }),
  },
  {
    pattern: /^FAILED: (.+)/m,
    cause: ([, message]) => ({
      summary: `Alembic stopped: ${sentence(message)}`,
      do: "Mend what Alembic names.",
    }),
  },
  {
    pattern: /^alembic(?: \w+)?: error: (.+)/m,
    cause: ([, message]) => ({
      summary: `Alembic does not take its arguments: ${sentence(message?.split(" (choose")[0])}`,
      do: "Set run to words after which Alembic's own arguments (upgrade head, current) can follow.",
    }),
  },
];

/** A failure without a traceback: Alembic's own message, else the last line. */
export function commandCause(
  lines: readonly string[],
  exitCode: number | null | undefined,
  running: string | undefined,
): Cause {
  const text = lines.join("\n");
  for (const { pattern, cause } of commandErrors) {
    const match = pattern.exec(text);
    if (match !== null) return cause(match);
  }
  const ended = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
  const step = running === undefined ? undefined : /Running (\w+) (\S*) -> (\S*?)(?:,|$)/.exec(running);
  if (step !== undefined && step !== null) {
    const revision = step[1] === "downgrade" ? step[2] : step[3];
    return {
      summary: `The migration tool ${ended} in the ${step[1]} of revision ${revision}, without saying why.`,
      do: "Look into the revision, and into env.py and the run command: one of them hides the error.",
      ofStep: true,
    };
  }
  const last = lines.findLast((line) => line !== "");
  return {
    summary:
      last === undefined
        ? `The migration tool ${ended} and printed nothing.`
        : `The migration tool ${ended}: ${sentence(last)}`,
    do: "Start the tool by hand in the project's folder; mend what it names.",
  };
}

const drivers: Readonly<Record<string, string>> = {
  psycopg2: "psycopg2-binary",
  psycopg: '"psycopg[binary]"',
  psycopg2cffi: "psycopg2cffi",
  asyncpg: "asyncpg",
  pg8000: "pg8000",
};

/** A traceback that no revision's code is in. */
export function causeOf(traceback: Traceback, lines: readonly string[]): Cause {
  const name = traceback.type.split(".").at(-1) ?? traceback.type;
  const found =
    importCause(name, traceback) ??
    keyCause(name, traceback, lines) ??
    settingsCause(name, traceback) ??
    fileCause(name, traceback) ??
    connectionCause(traceback) ??
    addressCause(name, traceback);
  if (found !== undefined) return found;
  const first = traceback.message.split("\n")[0];
  return {
    summary: `${name}: ${sentence(first)}`,
    do: "Mend what the last lines name, or set the variable that env.py reads (env).",
  };
}

function importCause(name: string, { message }: Traceback): Cause | undefined {
  const missing = /^No module named '([^']+)'/.exec(message)?.[1];
  if (missing !== undefined) {
    const driver = drivers[missing.split(".")[0] ?? ""];
    if (driver !== undefined) {
      return {
        summary: `The database driver ${missing} is not installed.`,
        do: `Install ${driver} where Alembic runs, or set database-url-format to the driver that is installed.`,
        isConnection: true,
      };
    }
    return {
      summary: `Python does not find the module "${missing}".`,
      do: `Install the package that has it, or let Python find the project's own: prepend_sys_path = . in the configuration, and working-directory.`,
    };
  }
  if (name !== "ImportError" && name !== "MissingGreenlet") return undefined;
  if (/greenlet/.test(message) && name === "ImportError") {
    return {
      summary: "The greenlet library is not installed, which SQLAlchemy's asyncio needs.",
      do: 'Install "sqlalchemy[asyncio]" where Alembic runs (SQLAlchemy 2.1 no longer brings greenlet by itself).',
      isConnection: true,
    };
  }
  if (name === "MissingGreenlet") {
    return {
      summary: "The address names an asyncio driver, and env.py connects without asyncio.",
      do: "Set database-url-format to a driver without asyncio, such as postgresql+psycopg2.",
    };
  }
  if (/circular import/.test(message)) {
    return {
      summary: `Modules import each other: ${sentence(withoutPath(message))}`,
      do: "Break the circle: import within a function, or move what both need.",
    };
  }
  return {
    summary: `An import failed: ${sentence(withoutPath(message))}`,
    do: "Install the version that has the name, or mend the import.",
  };
}

function keyCause(name: string, { frames, message }: Traceback, lines: readonly string[]): Cause | undefined {
  if (name !== "KeyError") return undefined;
  const key = message.replace(/^'|'$/g, "");
  const last = frames.at(-1);
  if (
    frames
      .slice(-2)
      .some((frame) => /environ/.test(frame.code) || /^<frozen os>$|[/\\]os\.py$/.test(frame.file))
  ) {
    return {
      summary: `The environment variable ${key} is not set.`,
      do: `Set it: env: ${key}=…; where it holds the database's address, database-url-env: ${key}.`,
    };
  }
  if (/alembic[/\\]script[/\\]revision\.py$/.test(last?.file ?? "")) {
    const child = lines
      .map((line) => /Revision (\S+) referenced from (?:\S* -> )?(\S+?)[ ,]/.exec(line))
      .find((match) => match?.[1] === key)?.[2];
    return {
      summary: `${child === undefined ? "A revision" : `Revision "${child}"`} names "${key}" as its parent or dependency, and no revision file has this id.`,
      do: `Bring back the file of revision ${key}, or mend down_revision or depends_on.`,
    };
  }
  if (/sqlalchemy[/\\]engine[/\\]create\.py$/.test(last?.file ?? "") && key === "url") {
    return {
      summary: "env.py reads the database's address from sqlalchemy.url, and the configuration has none.",
      do: "Set sqlalchemy.url in alembic.ini, or let env.py read a variable and name it in database-url-env.",
    };
  }
  if (/configparser\.py$/.test(last?.file ?? "")) {
    return {
      summary: `The configuration has no section "${key}", which env.py or its logging reads.`,
      do: `Add [${key}], or call fileConfig only where it is there.`,
    };
  }
  return undefined;
}

function settingsCause(name: string, { message }: Traceback): Cause | undefined {
  const settings =
    name === "ValidationError" ? /^\d+ validation errors? for (\S+)/.exec(message)?.[1] : undefined;
  if (settings === undefined) return undefined;
  const fields = message.split("\n").filter((line) => /^\w[\w.]*$/.test(line));
  return {
    summary: `The settings class ${settings} refuses its values: ${fields.join(", ")}.`,
    do: `Set the variables that ${settings} reads: ${fields.map((field) => `env: ${field.toUpperCase()}=…`).join(", ")}.`,
  };
}

function fileCause(name: string, { frames, message, type }: Traceback): Cause | undefined {
  if (/^(SyntaxError|IndentationError|TabError)$/.test(name)) {
    const place = frames.at(-1);
    const summary = `A Python file does not parse: ${sentence(message.split("\n")[0])}`;
    return { summary, do: "Mend the line.", ...(place === undefined ? {} : { place }) };
  }
  if (type.startsWith("configparser.")) {
    const line = /(?:line: |\[line +)(\d+)/.exec(message)?.[1];
    const file = /PosixPath\('([^']+)'\)/.exec(message)?.[1];
    const [first = ""] = message.split("\n");
    const summary = `The configuration cannot be read: ${sentence(first.replace(/PosixPath\('([^']+)'\)/, "$1"))}`;
    return {
      summary,
      do: 'Mend the line; a "%" in a value is written "%%".',
      ...(line && file ? { place: { file, line: Number(line) } } : {}),
    };
  }
  const attribute =
    name === "AttributeError" ? /^module '(.+)_py' has no attribute '(\w+)'/.exec(message) : null;
  if (attribute === null || !/alembic[/\\](script|runtime)[/\\]/.test(frames.at(-1)?.file ?? ""))
    return undefined;
  const [, file, missing] = attribute;
  return {
    summary: `The revision file ${file}.py has no ${missing}.`,
    do: `Add ${missing} to it${missing === "down_revision" ? " (None for a first revision), or move the file out of the versions folder" : ""}.`,
    ofStep: missing === "upgrade" || missing === "downgrade",
  };
}

const refusals: readonly (readonly [RegExp, string, string])[] = [
  [
    /Connection refused|Connect call failed/,
    "The database's server refused the connection",
    "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  ],
  [
    /could not translate host name|Name or service not known|nodename nor servname|failed to resolve host|Temporary failure in name resolution/,
    "The database's host name is not known",
    "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  ],
  [
    /password authentication failed|no password supplied/,
    "The database refused the password",
    "Set the variable that env.py reads (database-url-env).",
  ],
  [
    /no pg_hba\.conf entry/,
    "The database's server does not let this host in",
    "Set the variable that env.py reads (database-url-env).",
  ],
  [
    /role "(.+)" does not exist/,
    "The database has no such role",
    "Set the variable that env.py reads (database-url-env), or create the role in setup.",
  ],
  [
    /database "(.+)" does not exist/,
    "The server has no such database",
    "Set the variable that env.py reads (database-url-env).",
  ],
  [
    /timeout expired|timed out|TimeoutError/,
    "The database did not answer in time",
    "Set the variable that env.py reads (database-url-env): the tool did not use the address it was given.",
  ],
  [
    /SSL|certificate/,
    "The connection's TLS failed",
    "Leave TLS out of database-url-format and of env.py's connect arguments for the shadow database.",
  ],
];

function connectionCause({ type, message }: Traceback): Cause | undefined {
  const shown = `${type.split(".").at(-1)} ${message}`;
  if (
    !/^(OperationalError|ConnectionRefusedError|gaierror|TimeoutError|OSError|DBAPIError|InterfaceError|ConnectionDoesNotExistError)/.test(
      shown,
    )
  )
    return undefined;
  const first = (message.split("\n")[0] ?? "").replace(/^(\([\w.]+\) )/, "");
  for (const [pattern, summary, advice] of refusals) {
    if (pattern.test(shown))
      return { summary: `${summary}: ${sentence(first)}`, do: advice, isConnection: true };
  }
  return {
    summary: `The database could not be used: ${sentence(first)}`,
    do: "Set the variable that env.py reads (database-url-env).",
    isConnection: true,
  };
}

function addressCause(name: string, { message, frames }: Traceback): Cause | undefined {
  const inUrl = /sqlalchemy[/\\]engine[/\\]url\.py$/.test(frames.at(-1)?.file ?? "");
  if (name === "NoSuchModuleError") {
    const dialect = /sqlalchemy\.dialects:(\S+)/.exec(message)?.[1] ?? "";
    return {
      summary: `SQLAlchemy knows no dialect "${dialect}".`,
      do: "Set database-url-format to one it knows, such as postgresql+psycopg2.",
    };
  }
  if (/asyncio extension requires an async driver/.test(message)) {
    return {
      summary: `env.py connects with asyncio, and the address names a driver without it.`,
      do: "Set database-url-format to postgresql+asyncpg, or another asyncio driver.",
    };
  }
  if (inUrl || name === "ArgumentError") {
    const reader = frames.findLast(isOwnFrame)?.file.split(/[/\\]/).at(-1) ?? "env.py";
    return {
      summary: `${reader} gives SQLAlchemy an address that it cannot read.`,
      do: "Set the variable that env.py reads (database-url-env), with the form that it expects (database-url-format).",
    };
  }
  return undefined;
}

function withoutPath(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/ \((?:\/|[A-Z]:|unknown location)[^)]*\)$/, "");
}

function sentence(text: string | undefined): string {
  const line = (text ?? "").trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
