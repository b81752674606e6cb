import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../errors";
import { findInPath } from "../executors/executable";
import { runProgram } from "../shadow/account";
import { programDirectories } from "../shadow/installed";
import { fetchPrograms } from "./fetch-programs";

/** pg_dump and pg_restore of one PostgreSQL. */
export interface Programs {
  readonly dump: string;
  readonly restore: string;
  /** Beside them; a package of clients has it, but it may be missing where someone copied the two. */
  readonly psql: string;
  /** E.g. "17.2". */
  readonly version: string;
  readonly major: number;
}

export interface ProgramSearch {
  /** The setting pg-dump. */
  readonly setting: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: (text: string) => void;
}

/**
 * The pg_dump for a server of this major: the setting's, else this machine's (the same major, else the nearest above),
 * else a fetched one. pg_dump refuses a server that is newer than itself, so that an older one is a UserError.
 */
export async function findPrograms(server: number, search: ProgramSearch): Promise<Programs> {
  const { setting } = search;
  if (setting !== undefined) {
    const programs = await settingsPrograms(setting, search.environment);
    if (programs.major >= server) return programs;
    throw new UserError({
      what: `pg_dump ${programs.version} is older than the server, PostgreSQL ${server}, and would refuse it.`,
      where: `pg-dump: ${setting}`,
      do: `Set pg-dump to a pg_dump ${server} or newer, or leave it out, so that one is found or fetched.`,
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
export async function programsOfMajor(major: number, search: ProgramSearch): Promise<Programs> {
  const found = await programsOfMachine(search.environment);
  return found.find((programs) => programs.major === major) ?? fetchedPrograms(major, search);
}

async function fetchedPrograms(major: number, { progress }: ProgramSearch): Promise<Programs> {
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

/** The programs that the setting pg-dump names, a path or a name on the PATH. */
export async function settingsPrograms(setting: string, environment: NodeJS.ProcessEnv): Promise<Programs> {
  const file = setting.includes("/") ? resolve(setting) : findInPath(setting, environment["PATH"]);
  const programs = file === undefined ? undefined : await programsIn(dirname(file), basename(file));
  if (programs !== undefined) return programs;
  throw new UserError({
    what: "The setting pg-dump names no pg_dump that runs, with its pg_restore beside it.",
    where: `pg-dump: ${setting}`,
    do: "Set it to the path of a pg_dump, e.g. /usr/lib/postgresql/17/bin/pg_dump, or leave it out.",
  });
}

async function programsOfMachine(environment: NodeJS.ProcessEnv): Promise<Programs[]> {
  const directories = await Promise.all(
    (await programDirectories(environment["PATH"])).map(async (directory) => {
      const file = await realpath(join(directory, "pg_dump")).catch(() => undefined);
      // Debian's /usr/bin/pg_dump is a script that chooses among those of /usr/lib/postgresql by the clusters it knows.
      return file === undefined || basename(file) !== "pg_dump" ? [] : [dirname(file)];
    }),
  );
  const found = await Promise.all([...new Set(directories.flat())].map((directory) => programsIn(directory)));
  return found.filter((programs) => programs !== undefined);
}

/** Undefined where the two are not both there, or do not run on this system. */
async function programsIn(directory: string, name = "pg_dump"): Promise<Programs | undefined> {
  const [dump, restore] = [join(directory, name), join(directory, "pg_restore")];
  try {
    for (const program of [dump, restore]) await access(program, constants.X_OK);
  } catch {
    return undefined;
  }
  const { ok, stdout } = await runProgram(dump, ["--version"]);
  const version = /\(PostgreSQL\) ((\d+)[^\s]*)/.exec(stdout);
  if (!ok || version === null) return undefined;
  return { dump, restore, psql: join(directory, "psql"), version: version[1]!, major: Number(version[2]) };
}

/**
 * What this pg_dump is asked to compress with: zstd from 16 on where the build has it, which it says before it connects
 * to anything; else gzip. Both at their fastest, which is what keeps up with the server.
 */
export async function compressionOf({ dump, major }: Programs): Promise<"zstd:1" | "gzip:1"> {
  if (major < 16) return "gzip:1";
  const env = { PATH: process.env.PATH, LC_ALL: "C", PGHOST: "/nonexistent" };
  const tried = await runProgram(dump, ["-Fc", "-Z", "zstd:1", "-w", "-f", "/dev/null"], { env });
  return /compress/i.test(tried.stderr) ? "gzip:1" : "zstd:1";
}
