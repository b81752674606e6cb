import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { node24 } from "../../scripts/node24.mjs";

const here = import.meta.dirname;
const cache = join(
  resolve(process.env.MIGRATION_GATE_TEST_CACHE || join(here, "..", "..", ".cache")),
  "containers",
);

export interface Docker extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** The words before a command that is to run in the daemon's network. */
  readonly inside: readonly string[];
}

/** A docker daemon of our own with one image under these tags: a runner's and, as `services:` name it, PostgreSQL's. */
export async function startDocker(tags: readonly string[]): Promise<Docker> {
  requirePrograms();
  const folder = mkdtempSync(join(tmpdir(), "migration-gate-dockerd-"));
  const dockerd = (...words: readonly string[]) =>
    execFileSync(join(here, "dockerd.sh"), words, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    }).trim();
  const stop = async () => {
    dockerd("stop", folder);
    rmSync(folder, { recursive: true, force: true });
  };
  const host = dockerd("start", folder);
  try {
    execFileSync(join(here, "build-image.sh"), [cache, node24(), ...tags], {
      env: { ...process.env, DOCKER_HOST: host },
      stdio: ["ignore", "inherit", "inherit"],
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const inside = ["nsenter", `--net=/proc/${readFileSync(join(folder, "pid"), "utf8").trim()}/ns/net`];
  return { host, inside, [Symbol.asyncDispose]: stop };
}

function requirePrograms(): void {
  const missing = ["dockerd", "docker", "debootstrap", "ip", "iptables", "nsenter"].filter((program) => {
    try {
      execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
  if (process.getuid?.() !== 0) missing.unshift("root");
  if (missing.length === 0) return;
  throw new Error(
    `The container suite needs ${missing.join(", ")}.\n` +
      "do    Run it as root, after (Debian, Ubuntu): apt-get install docker.io iptables iproute2 debootstrap",
  );
}
