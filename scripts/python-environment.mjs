#!/usr/bin/env node
/**
 * The Python environment of tests, demo and bench: scripts/requirements.txt in a virtual environment under `.cache`
 * (or $MIGRATION_GATE_TEST_CACHE), made on the first use and kept. Needs no root; as root it is made so that other
 * users can run it, because a shadow's tool may run as nobody.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const scripts = dirname(fileURLToPath(import.meta.url));
const requirements = join(scripts, "requirements.txt");
/** The oldest Python that every pinned requirement has a wheel for. */
const oldest = [3, 10];

/**
 * Where `alembic` and `python` are: the environment's bin folder, made if it is not there yet. Rejects with a message
 * that says what to install. Two at once make it once: the second waits.
 */
export async function pythonEnvironment() {
  const cache = resolve(process.env.MIGRATION_GATE_TEST_CACHE || join(scripts, "..", ".cache"));
  const found = pythonsOnPath();
  const home = join(cache, `python-${fingerprint(found)}`);
  const ready = builtIn(home);
  if (ready !== undefined) return ready;
  const umask = process.umask(0o022);
  try {
    const python = await choosePython(found);
    mkdirSync(home, { recursive: true });
    const unlock = await lock(python, join(home, "lock"));
    try {
      return builtIn(home) ?? (await build(python, found, home));
    } finally {
      unlock();
    }
  } finally {
    process.umask(umask);
  }
}

/**
 * The stamp holds the folder's real path: an environment cannot be moved, so each attempt has a folder of its own, and
 * one whose checkout was moved or renamed since is none.
 */
function builtIn(home) {
  try {
    const directory = readFileSync(join(home, "stamp"), "utf8").trim();
    const bin = join(directory, "bin");
    if (dirname(directory) !== realpathSync(home)) return undefined;
    return existsSync(join(bin, "python")) && existsSync(join(bin, "alembic")) ? bin : undefined;
  } catch {
    return undefined;
  }
}

/** Every file named python3 on PATH, then where systems keep theirs; once each. */
function pythonsOnPath() {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/bin", "/usr/bin"];
  const found = new Map();
  for (const folder of folders) {
    const file = join(folder || ".", "python3");
    try {
      accessSync(file, constants.X_OK);
      const real = realpathSync(file);
      if (statSync(real).isFile() && !found.has(real)) found.set(real, resolve(file));
    } catch {
      // not there, or not ours to run
    }
  }
  return [...found.values()];
}

/** Changes with the requirements, with this file's way to install them, and with the Pythons of this machine. */
function fingerprint(found) {
  const hash = createHash("sha256").update(readFileSync(requirements)).update(process.arch);
  for (const real of found.map((file) => realpathSync(file)).sort()) {
    hash.update(`\n${real} ${statSync(real).size} ${statSync(real).mtimeMs}`);
  }
  return hash.digest("hex").slice(0, 12);
}

/** The first that is new enough; for root rather one that other users can run as well. */
async function choosePython(found) {
  const usable = [];
  const seen = [];
  const question = "import sys; print(*sys.version_info[:2], sys.executable, sep='\\n')";
  for (const file of found) {
    const answer = await run(file, ["-I", "-c", question]);
    const [major, minor, executable] = answer.output.split("\n");
    if (answer.code !== 0) continue;
    seen.push(`${file} ${major}.${minor}`);
    if (Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1])) {
      usable.push(executable || file);
    }
  }
  const shared = process.getuid?.() === 0 ? usable.find(othersCanRun) : undefined;
  const chosen = shared ?? usable[0];
  if (chosen !== undefined) return chosen;
  const wanted = oldest.join(".");
  throw new Error(
    `No Python ${wanted} or newer was found as python3.\n` +
      `seen  ${seen.length > 0 ? seen.join(", ") : "no python3 on PATH"}\n` +
      `do    Install Python ${wanted} or newer (Debian, Ubuntu: apt-get install python3 python3-venv) and put it on PATH.`,
  );
}

function othersCanRun(file) {
  const mayRun = (path) => (statSync(path).mode & 0o001) !== 0;
  for (let path = realpathSync(file); ; path = dirname(path)) {
    if (!mayRun(path)) return false;
    if (path === dirname(path)) return true;
  }
}

async function build(python, found, home) {
  for (const name of readdirSync(home)) {
    if (name !== "lock") rmSync(join(home, name), { recursive: true, force: true });
  }
  const name = randomBytes(4).toString("hex");
  const directory = join(realpathSync(home), name);
  await install(python, found, directory);
  const opened = await run("chmod", ["-R", "a+rX", directory]);
  if (opened.code !== 0) throw new Error(`chmod of ${directory} failed: ${opened.output}`);
  writeFileSync(join(home, `stamp.${name}`), `${directory}\n`);
  renameSync(join(home, `stamp.${name}`), join(home, "stamp"));
  return join(directory, "bin");
}

/** Debian's python3 comes without ensurepip (package python3-venv): then another pip, or virtualenv, fills the environment. */
async function install(python, found, directory) {
  const own = join(directory, "bin", "python");
  const into = ["install", "--no-input", "--disable-pip-version-check", "--quiet", "--only-binary", ":all:"];
  const ways = [
    {
      make: [python, ["-I", "-m", "venv", directory]],
      fill: [[own, ["-I", "-m", "pip", ...into]]],
    },
    {
      make: [python, ["-I", "-m", "venv", "--without-pip", directory]],
      fill: [...new Set([python, ...found])].map((file) => [file, ["-m", "pip", "--python", own, ...into]]),
    },
    {
      make: ["virtualenv", ["--quiet", "--python", python, directory]],
      fill: [[own, ["-I", "-m", "pip", ...into]]],
    },
  ];
  const seen = [];
  for (const way of ways) {
    rmSync(directory, { recursive: true, force: true });
    for (const [file, args, isFilling] of [way.make, ...way.fill.map(([file, args]) => [file, args, true])]) {
      const done = await run(file, isFilling ? [...args, "--requirement", requirements] : args);
      if (done.code === 0 && isFilling) return;
      if (done.code === 0) continue;
      seen.push(
        `${[file, ...args.slice(0, 3)].join(" ")} …: ${done.output.trim().split("\n").slice(-4).join("\n      ")}`,
      );
      if (!isFilling) break;
    }
  }
  throw new Error(
    `A Python environment with scripts/requirements.txt could not be made with ${python}.\n` +
      `seen  ${seen.join("\n      ")}\n` +
      "do    Install Python's venv with pip (Debian, Ubuntu: apt-get install python3-venv; or: python3 -m pip install virtualenv)\n" +
      "      and see that pip reaches its package index.",
  );
}

/**
 * Waits until nobody else holds the lock and answers how to give it back. The kernel frees it when the holder or this
 * process dies, so no lock is ever left over (flock through Python: Node.js has none).
 */
function lock(python, file) {
  const hold =
    "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()";
  const child = spawn(python, ["-I", "-c", hold, file], { stdio: ["pipe", "pipe", "inherit"] });
  return new Promise((held, failed) => {
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`${file} could not be locked: exit ${code}`)));
    child.stdout.once("data", () => held(() => child.stdin.end()));
  });
}

function run(file, args) {
  // Settings of a surrounding environment would install elsewhere; index and certificate settings stay.
  const drop = [
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
  ];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !drop.includes(name)));
  const child = spawn(file, args, { env: { ...env, PIP_USER: "0" }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
  });
  child.stderr.on("data", (data) => {
    output += data;
  });
  return new Promise((done) => {
    child.once("error", (error) => done({ code: -1, output: error.message }));
    child.once("close", (code) => done({ code: code ?? -1, output }));
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.log(await pythonEnvironment());
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 2;
  }
}
