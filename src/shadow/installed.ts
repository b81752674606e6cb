import { constants } from "node:fs";
import { access, readdir, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { type Account, runProgram } from "./account";

/** A PostgreSQL that can be started: the directory of its programs. */
export interface Installation {
  readonly bin: string;
  /** E.g. "17.2". */
  readonly version: string;
  readonly major: number;
}

/** Debian and Ubuntu; Red Hat; SUSE; Homebrew on both kinds of Mac; Postgres.app; the EnterpriseDB installer. */
const places = [
  ["/usr/lib/postgresql", /^\d+$/, "bin"],
  ["/usr", /^pgsql-\d+$/, "bin"],
  ["/usr/lib", /^postgresql\d+$/, "bin"],
  ["/opt/homebrew/opt", /^postgresql(@\d+)?$/, "bin"],
  ["/usr/local/opt", /^postgresql(@\d+)?$/, "bin"],
  ["/home/linuxbrew/.linuxbrew/opt", /^postgresql(@\d+)?$/, "bin"],
  ["/Applications/Postgres.app/Contents/Versions", /^\d+$/, "bin"],
  ["/Library/PostgreSQL", /^\d+$/, "bin"],
  ["/usr/local", /^pgsql$/, "bin"],
] as const;

/** Every PostgreSQL server on this machine that the account can run, the newest first. */
export async function findInstallations(account: Account): Promise<Installation[]> {
  const found = await installationsIn(await programDirectories(process.env.PATH), account);
  if (found.length > 0) return found;
  const told = (await runProgram("pg_config", ["--bindir"])).stdout.trim();
  return told.startsWith("/") ? installationsIn([told], account) : [];
}

/** Every directory that may hold PostgreSQL's programs: where packages put them, then those of the PATH. */
export async function programDirectories(path: string | undefined): Promise<string[]> {
  const listed = await Promise.all(
    places.map(async ([parent, pattern, bin]) => {
      const names = await readdir(parent).catch(() => []);
      return names.filter((name) => pattern.test(name)).map((name) => join(parent, name, bin));
    }),
  );
  const onPath = (path ?? "").split(delimiter).filter((directory) => directory.startsWith("/"));
  return [...listed.flat(), ...onPath];
}

async function installationsIn(directories: readonly string[], account: Account): Promise<Installation[]> {
  const bins = new Set(await Promise.all(directories.map(serverDirectory)));
  const found = await Promise.all(
    [...bins].flatMap((bin) => (bin === undefined ? [] : [installationIn(bin, account)])),
  );
  return found
    .filter((installation) => installation !== undefined)
    .sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
}

/** Where the server's own programs are: `initdb` on the PATH is often a link to it. */
async function serverDirectory(directory: string): Promise<string | undefined> {
  try {
    const bin = dirname(await realpath(join(directory, "initdb")));
    for (const program of ["initdb", "postgres"]) await access(join(bin, program), constants.X_OK);
    return bin;
  } catch {
    return undefined;
  }
}

/** The installation in this directory, if the account reaches it and the build runs on this system. */
export async function installationIn(directory: string, account: Account): Promise<Installation | undefined> {
  const bin = await serverDirectory(directory);
  if (bin === undefined) return undefined;
  const { ok, stdout } = await runProgram(join(bin, "postgres"), ["--version"], { account, cwd: "/" });
  const version = /\(PostgreSQL\) ((\d+)[^\s]*)/.exec(stdout);
  return ok && version !== null ? { bin, version: version[1]!, major: Number(version[2]) } : undefined;
}
