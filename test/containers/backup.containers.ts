import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchPrograms } from "../../src/backup/fetch-programs";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { BackupReport } from "../../src/model/deployment";
import { type TestServer, testServer } from "../support/database";
import { gateBundle, gateEnvironment } from "../support/gate";
import { type Docker, startDocker } from "./dockerd";

const [server, clients, older] = ["gate-server:17", "gate-clients:17", "gate-clients:16"] as const;
const password = "p'a\"s $s\\é";
const database = `we"ird 'né\\ name`;

let docker: Docker;
let folder: string;
/** A server of this machine, at the same port as the container's in the daemon's network: not the one that is meant. */
let stranger: TestServer;
let address: Address;
let serverContainer: string;
beforeAll(async () => {
  docker = await startDocker([server]);
  process.env.DOCKER_HOST = docker.host;
  folder = mkdtempSync(join(tmpdir(), "backup-image-"));
  stranger = await testServer();
  await makeImages();
  await startServer(stranger.address);
});
afterAll(async () => {
  await stranger?.[Symbol.asyncDispose]();
  await docker?.[Symbol.asyncDispose]();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function docked(...words: readonly string[]): string {
  return execFileSync("docker", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** The server's image has no client programs: one with those that the gate would fetch, and one that says it is older. */
async function makeImages(): Promise<void> {
  const scripts = join(folder, "older");
  mkdirSync(scripts);
  for (const program of ["pg_dump", "pg_restore"]) {
    writeFileSync(join(scripts, program), `#!/bin/sh\necho '${program} (PostgreSQL) 16.4 (Debian 16.4-1)'\n`);
    chmodSync(join(scripts, program), 0o755);
  }
  const bins = { [clients]: dirname(await fetchPrograms(17, () => undefined)), [older]: scripts };
  for (const [image, from] of Object.entries(bins)) {
    const container = docked("create", server);
    docked("cp", from, `${container}:/opt/clients`);
    const path = "ENV PATH=/opt/clients/bin:/opt/clients:/usr/local/bin:/usr/bin:/bin";
    // Variables of an image lead nowhere else.
    docked("commit", "--change", path, "--change", "ENV PGHOST=127.9.9.9 PGDATABASE=other", container, image);
    docked("rm", container);
  }
}

/** Only by TLS and with a certificate can the role of these tests connect. */
async function startServer({ port, user, password: secret = "" }: Address): Promise<void> {
  const variables = { PGPORT: port, POSTGRES_USER: user, POSTGRES_PASSWORD: secret };
  const words = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  serverContainer = docked("run", "--detach", "--network", "host", ...words, server);
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name)) as [string, string];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
      ...["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
    ],
    { stdio: "pipe" },
  );
  const data = "/var/lib/postgresql/data";
  for (const file of [key, cert]) docked("cp", file, `${serverContainer}:${data}/`);
  docked("exec", serverContainer, "chown", "postgres", `${data}/key.pem`, `${data}/cert.pem`);
  // Another user's on this machine: libpq takes a key only from its own user, or root.
  chownSync(key, 4711, 4711);
  const hba = "hostssl all ada all scram-sha-256 clientcert=verify-ca\\nhost all all all scram-sha-256\\n";
  docked("exec", serverContainer, "sh", "-c", `printf '${hba}' > ${data}/pg_hba.conf`);
  address = {
    ...{ name: "DATABASE_URL", host: "localhost", port, user: "ada", password, database },
    ...{ sslmode: "verify-full", sslrootcert: cert, sslcert: cert, sslkey: key },
  };
  const admin = ["-h", "127.0.0.1", "-p", String(port), "-U", user, "-d", "postgres"];
  for (let turn = 0; ; turn++) {
    try {
      psql(admin, secret, "select 1");
      break;
    } catch (error) {
      if (turn === 50) throw error;
      await sleep(200);
    }
  }
  const files = ["ssl_ca_file = 'cert.pem'", "ssl_cert_file = 'cert.pem'", "ssl_key_file = 'key.pem'"];
  for (const setting of [...files, "ssl = on"]) psql(admin, secret, `alter system set ${setting}`);
  psql(admin, secret, "select pg_reload_conf()");
  const literal = `E'${password.replace(/['\\]/g, "\\$&")}'`;
  psql(admin, secret, `create role ada superuser login password ${literal}`);
  for (const name of [database, "target"])
    psql(admin, secret, `create database "${name.replaceAll('"', '""')}"`);
  const rows =
    "select g as id, md5(g::text) || md5(random()::text) as word from generate_series(1, 200000) g";
  psql([...admin.slice(0, -1), dbname(database)], secret, `create table "né""w" as ${rows}`);
}

function dbname(name: string): string {
  return `dbname='${name.replace(/['\\]/g, "\\$&")}'`;
}

function psql(words: readonly string[], secret: string, sql: string): string {
  const run = ["run", "--rm", "--network", "host", "--env", "PGPASSWORD", "--entrypoint", "psql", clients];
  return execFileSync("docker", [...run, ...words, "-Atqc", sql], {
    env: { ...process.env, PGPASSWORD: secret },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

/** The gate in the daemon's network, where the container of the server is localhost. */
async function startGate(words: readonly string[], env: Record<string, string | undefined> = {}) {
  const [program = "", ...inside] = docker.inside;
  const child = spawn(program, [...inside, process.execPath, await gateBundle(), ...words], {
    cwd: folder,
    env: gateEnvironment({ DATABASE_URL: urlOf(address), MIGRATION_GATE_PG_DUMP_IMAGE: clients, ...env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, log] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, out, log }));
  return { child, ended };
}

async function gate(words: readonly string[], env: Record<string, string | undefined> = {}) {
  return await (await startGate(words, env)).ended;
}

/** All containers but the server, as `<image's command> <log driver> <state>`. */
function containers(): string[] {
  const ids = docked("ps", "--all", "--quiet", "--no-trunc")
    .split("\n")
    .filter((id) => id !== serverContainer && id !== "");
  if (ids.length === 0) return [];
  return docked("inspect", "--format", "{{.Path}} {{.HostConfig.LogConfig.Type}}", ...ids).split("\n");
}

test("a backup and its restore, with hostile names and keys of another user's", async () => {
  const taken = await gate(["backup", "--format", "json"]);
  expect([taken.code, taken.log]).toEqual([0, ""]);
  const report = JSON.parse(taken.out) as BackupReport;
  const url = urlOf({ ...address, database: "target" });
  const words = ["restore", report.location ?? "", "--to-env", "RESTORE_URL", "--yes"];
  const restored = await gate(words, { RESTORE_URL: url });
  expect(restored.code, restored.log).toBe(0);
  const sql = `select count(*), md5(string_agg(n::text, ' ' order by id)) from "né""w" n`;
  const { port, user, password: secret = "" } = stranger.address;
  const digest = (name: string) =>
    psql(["-h", "127.0.0.1", "-p", String(port), "-U", user, "-d", dbname(name)], secret, sql);
  expect(digest("target")).toMatch(/^200000\|/);
  expect(digest("target")).toBe(digest(database));
  expect(containers()).toEqual([]);
  expect(docked("volume", "ls", "--quiet")).toBe("");
});

describe("a backup that is ended", () => {
  /** Stops reading in the middle, and ends when the gate is gone. */
  const sink = `sh -c 'head -c 200000 > kept; touch reached; while kill -0 $PPID; do sleep 0.1; done' 2>/dev/null`;
  const words = ["backup", "--backup-to", "command", "--backup-sink", sink];

  async function inTheMiddle() {
    const reached = join(folder, "reached");
    rmSync(reached, { force: true });
    const running = await startGate(words);
    for (const end = Date.now() + 120_000; !existsSync(reached); await sleep(50))
      if (Date.now() > end) throw new Error("the sink was not reached");
    expect(containers().sort()).toEqual(["pg_dump none", "pg_restore none"]);
    return running;
  }

  test("SIGTERM leaves nothing, and no argument list had the password", async () => {
    const { child, ended } = await inTheMiddle();
    const lists = readdirSync("/proc").flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8")];
      } catch {
        return [];
      }
    });
    expect(lists.filter((list) => list.includes("pg_dump\0")).length).toBeGreaterThan(0);
    expect(lists.filter((list) => list.includes(password))).toEqual([]);
    child.kill("SIGTERM");
    expect((await ended).log).toContain("was ended by SIGTERM: what it had started is stopped and removed");
    expect(containers()).toEqual([]);
  });

  test("after SIGKILL the next run names what was left, and removes it", async () => {
    const { child, ended } = await inTheMiddle();
    child.kill("SIGKILL");
    await ended;
    expect(containers()).toHaveLength(2);
    const next = await gate(["backup"]);
    expect(next.code, next.log).toBe(0);
    const line = "Removed the container migration-gate-[0-9a-f]{16}, which a run that was killed left\\.\n";
    expect(next.log).toMatch(new RegExp(`^(?:${line}){2}Removed [^\n]*\\.partial, `));
    expect(containers()).toEqual([]);
  });
});

describe("is refused before anything else", () => {
  test.each([
    ["an image without pg_dump", server, /has no pg_dump that runs[\s\S]*executable file not found/],
    [
      "one that is not there",
      "nobody/nothing:1",
      /is not there, and cannot be pulled[\s\S]*docker pull nobody/,
    ],
    ["an older one", older, /pg_dump 16\.4 is older than the server[\s\S]*e\.g\. postgres:17/],
  ])("%s", async (_, image, message) => {
    const { code, log } = await gate(["backup", "--backup-directory", "never-made"], {
      MIGRATION_GATE_PG_DUMP_IMAGE: image,
    });
    expect([code, log]).toEqual([2, expect.stringMatching(message)]);
    expect(log).not.toContain(password);
    expect(existsSync(join(folder, "never-made"))).toBe(false);
    expect(containers()).toEqual([]);
  });

  test("a server that the container does not reach, and another one at the same address", async () => {
    // This process is on the machine, where the stranger listens; the daemon's localhost is the server above.
    const outside = async (url: string) => {
      const words = [await gateBundle(), "backup", "--backup-directory", "never-made"];
      const child = spawn(process.execPath, words, {
        cwd: folder,
        env: gateEnvironment({ DATABASE_URL: url, MIGRATION_GATE_PG_DUMP_IMAGE: clients }),
        stdio: ["ignore", "ignore", "pipe"],
      });
      let log = "";
      child.stderr.on("data", (chunk: Buffer) => {
        log += chunk.toString();
      });
      const [code] = (await once(child, "close")) as [number];
      return { code, log };
    };
    const { address: own } = stranger;
    expect(await outside(urlOf({ ...own, host: "127.0.0.1" }))).toEqual({
      code: 2,
      log: expect.stringContaining("pg_dump would reach another server than the gate does"),
    });
    docked("stop", "--time", "5", serverContainer);
    const alone = await outside(urlOf({ ...own, host: "127.0.0.1" }));
    expect(alone).toEqual({ code: 2, log: expect.stringContaining("would not reach the server") });
    expect(alone.log).toMatch(/Connection refused[\s\S]*docker on this machine/);
    expect(existsSync(join(folder, "never-made"))).toBe(false);
    expect(containers()).toEqual([]);
  });
});
