import type { Traceback } from "../python/traceback";
import { type Cause, sentence } from "./cause";

const drivers: Readonly<Record<string, string>> = {
  psycopg2: "psycopg2-binary",
  psycopg: '"psycopg[binary]"',
  psycopg2cffi: "psycopg2cffi",
  asyncpg: "asyncpg",
  pg8000: "pg8000",
};

/** An import that failed; undefined for every other exception. */
export function importCause(name: string, { message }: Traceback): Cause | undefined {
  const missing = /^No module named '([^']+)'/.exec(message)?.[1];
  if (missing !== undefined) {
    const driver = drivers[missing.split(".")[0] ?? ""];
    if (driver !== undefined) {
      return {
        summary: `The database driver ${missing} is not installed.`,
        do: `Install ${driver} where Alembic runs, or set database-url-format to the driver that is installed.`,
        placeless: true,
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
      placeless: true,
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

function withoutPath(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/ \((?:\/|[A-Z]:|unknown location)[^)]*\)$/, "");
}
