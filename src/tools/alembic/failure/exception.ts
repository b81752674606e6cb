import type { Traceback } from "../python/traceback";
import { type Cause, sentence } from "./cause";
import { addressCause, connectionCause } from "./connection";
import { importCause } from "./imports";

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
  // A settings module's own words for a variable that is missing.
  const variable = /\b[A-Z][A-Z0-9_]*(?:URL|URI|DSN)\b/.exec(traceback.message)?.[0];
  return {
    summary: `${name}: ${sentence(first)}`,
    do:
      variable === undefined
        ? "Mend what the last lines name, or set the variable that env.py reads (env)."
        : `Where ${variable} holds the database's address, set database-url-env: ${variable}; else mend what the last lines name, or set the variable (env).`,
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
      placeless: true,
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
    placeless: true,
  };
}
