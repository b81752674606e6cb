import { constants } from "node:fs";
import { access, readdir, realpath } from "node:fs/promises";
import { delimiter, join } from "node:path";
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
  const listed = await Promise.all(
    places.map(async ([parent, pattern, bin]) => {
      const names = await readdir(parent).catch(() => []);
      return names.filter((name) => pattern.test(name)).map((name) => join(parent, name, bin));
    }),
  );
  const found = new Map<string, Installation>();
  for (const directory of [...listed.flat(), ...(await onPath())]) {
    const installation = await installationIn(directory, account);
    if (installation !== undefined) found.set(installation.bin, installation);
  }
  return [...found.values()].sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
}

async function onPath(): Promise<string[]> {
  const bindir = (await runProgram("pg_config", ["--bindir"])).stdout.trim();
  const path = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory.startsWith("/"));
  return bindir.startsWith("/") ? [...path, bindir] : path;
}

/** The installation whose `initdb` is in this directory; a link is followed to where the server's own files are. */
export async function installationIn(directory: string, account: Account): Promise<Installation | undefined> {
  try {
    const bin = join(await realpath(join(directory, "initdb")), "..");
    for (const program of ["initdb", "postgres"]) await access(join(bin, program), constants.X_OK);
    // The account may not reach it, and a build for another system does not start.
    const { ok, stdout } = await runProgram(join(bin, "postgres"), ["--version"], { account, cwd: "/" });
    const version = /\(PostgreSQL\) ((\d+)[^\s]*)/.exec(stdout);
    if (!ok || version === null) return undefined;
    return { bin, version: version[1]!, major: Number(version[2]) };
  } catch {
    return undefined;
  }
}
