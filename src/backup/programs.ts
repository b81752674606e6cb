import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../errors";
import { findInPath } from "../executors/executable";
import { runProgram } from "../shadow/account";
import { programDirectories } from "../shadow/installed";
import { type Child, type ChildOptions, startChild } from "./child";
import { fetchPrograms } from "./fetch-programs";
import { imagePrograms } from "./image-programs";
import { offlineEnvironment } from "./libpq";

export type ProgramName = "pg_dump" | "pg_restore" | "psql";

/** The client programs of one PostgreSQL, on this machine or in a container image. */
export interface Programs {
  /** E.g. "17.2". */
  readonly version: string;
  readonly major: number;
  /** The image that they are in, as the setting names it; undefined where they are on this machine. */
  readonly image: string | undefined;
  /** Starts one of them with these words. psql may be missing where someone copied the other two. */
  start(program: ProgramName, words: readonly string[], options: ChildOptions): Promise<Child>;
}

/** Those of this machine. */
export interface LocalPrograms extends Programs {
  /** The path of pg_dump. */
  readonly dump: string;
}

export interface ProgramSearch {
  /** The setting pg-dump. */
  readonly setting: string | undefined;
  /** The setting pg-dump-image. */
  readonly image: string | undefined;
  /** The address's host. */
  readonly host: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: (text: string) => void;
}

/**
 * The pg_dump for a server of this major: that of the settings, else this machine's (the same major, else the nearest above),
 * else a fetched one. pg_dump refuses a server that is newer than itself, so that an older one is a UserError.
 */
export async function findPrograms(server: number, search: ProgramSearch): Promise<Programs> {
  const named = await namedPrograms(search);
  if (named !== undefined) {
    const { programs, name, where } = named;
    if (programs.major >= server) return programs;
    throw new UserError({
      what: `pg_dump ${programs.version} is older than the server, PostgreSQL ${server}, and would refuse it.`,
      where,
      do: `Set ${name} to ${remedyFor(name, server)}, or leave it out, so that one is found or fetched.`,
    });
  }
  const found = (await programsOfMachine(search.environment)).filter(({ major }) => major >= server);
  const [nearest] = found.sort(
    (one, other) =>
      one.major - other.major || other.version.localeCompare(one.version, "en", { numeric: true }),
  );
  return nearest ?? fetchedPrograms(server, search);
}

/** Those of exactly this major, of the machine or fetched. */
export async function programsOfMajor(
  major: number,
  search: Pick<ProgramSearch, "environment" | "progress">,
): Promise<LocalPrograms> {
  const found = await programsOfMachine(search.environment);
  return found.find((programs) => programs.major === major) ?? fetchedPrograms(major, search);
}

async function fetchedPrograms(
  major: number,
  { progress }: Pick<ProgramSearch, "progress">,
): Promise<LocalPrograms> {
  const bin = await fetchPrograms(major, progress);
  const programs = await programsIn(bin);
  if (programs !== undefined) return programs;
  const { stderr } = await runProgram(join(bin, "pg_dump"), ["--version"]);
  throw new UserError({
    what: `The fetched pg_dump ${major} does not run on this machine.`,
    where: bin,
    seen: stderr,
    do: `Install postgresql-client-${major}, or set pg-dump to the path of a pg_dump ${major} or newer.`,
  });
}

/** Programs that a setting names, and what a message says of it. */
export interface NamedPrograms {
  readonly programs: Programs;
  readonly name: "pg-dump" | "pg-dump-image";
  readonly where: string;
}

/** Those of the setting pg-dump or pg-dump-image, whatever their major is; undefined where neither is set. */
export async function namedPrograms(search: ProgramSearch): Promise<NamedPrograms | undefined> {
  const { setting, image, environment } = search;
  if (setting !== undefined && image !== undefined) {
    throw new UserError({
      what: "The settings pg-dump and pg-dump-image both name a pg_dump.",
      where: `pg-dump: ${setting}; pg-dump-image: ${image}`,
      do: "Leave one of them out.",
    });
  }
  if (image !== undefined) {
    const programs = await imagePrograms(image, search);
    return { programs, name: "pg-dump-image", where: `pg-dump-image: ${image}` };
  }
  if (setting === undefined) return undefined;
  const programs = await settingsPrograms(setting, environment);
  return { programs, name: "pg-dump", where: `pg-dump: ${setting}` };
}

/** What that setting can be set to for this major or a newer one. */
export function remedyFor(name: NamedPrograms["name"], major: number): string {
  return name === "pg-dump"
    ? `a pg_dump ${major} or newer`
    : `an image with pg_dump ${major} or newer, e.g. postgres:${major}`;
}

/** The programs that the setting pg-dump names, a path or a name on the PATH. */
export async function settingsPrograms(
  setting: string,
  environment: NodeJS.ProcessEnv,
): Promise<LocalPrograms> {
  const file = setting.includes("/") ? resolve(setting) : findInPath(setting, environment.PATH);
  const programs = file === undefined ? undefined : await programsIn(dirname(file), basename(file));
  if (programs !== undefined) return programs;
  throw new UserError({
    what: "The setting pg-dump names no pg_dump that runs, with its pg_restore beside it.",
    where: `pg-dump: ${setting}`,
    do: "Set it to the path of a pg_dump, e.g. /usr/lib/postgresql/17/bin/pg_dump, or leave it out.",
  });
}

async function programsOfMachine(environment: NodeJS.ProcessEnv): Promise<LocalPrograms[]> {
  const directories = await Promise.all(
    (await programDirectories(environment.PATH)).map(async (directory) => {
      const file = await realpath(join(directory, "pg_dump")).catch(() => undefined);
      // Debian's /usr/bin/pg_dump is a script that chooses among those of /usr/lib/postgresql by the clusters it knows.
      return file === undefined || basename(file) !== "pg_dump" ? [] : [dirname(file)];
    }),
  );
  const found = await Promise.all([...new Set(directories.flat())].map((directory) => programsIn(directory)));
  return found.filter((programs) => programs !== undefined);
}

/** Undefined where the two are not both there, or do not run on this system. */
async function programsIn(directory: string, name = "pg_dump"): Promise<LocalPrograms | undefined> {
  const files = {
    pg_dump: join(directory, name),
    pg_restore: join(directory, "pg_restore"),
    psql: join(directory, "psql"),
  };
  try {
    for (const program of [files.pg_dump, files.pg_restore]) await access(program, constants.X_OK);
  } catch {
    return undefined;
  }
  const { ok, stdout } = await runProgram(files.pg_dump, ["--version"]);
  const version = /\(PostgreSQL\) ((\d+)[^\s]*)/.exec(stdout);
  if (!ok || version === null) return undefined;
  return {
    dump: files.pg_dump,
    version: version[1]!,
    major: Number(version[2]),
    image: undefined,
    start: (program, words, options) => startChild([files[program], ...words], options),
  };
}

/**
 * What this pg_dump is asked to compress with: zstd from 16 on where the build has it, which it says before it connects
 * to anything; else gzip. Both at their fastest, which is what keeps up with the server.
 */
export async function compressionOf({ major, start }: Programs): Promise<"zstd:1" | "gzip:1"> {
  if (major < 16) return "gzip:1";
  const env = { ...offlineEnvironment(), PGHOST: "/nonexistent" };
  const tried = await start("pg_dump", ["-Fc", "-Z", "zstd:1", "-w", "-f", "/dev/null"], {
    env,
    talks: true,
  });
  await tried.ended;
  return /compress/i.test(tried.said()) ? "gzip:1" : "zstd:1";
}
