import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A repository of the real git, without the settings of whoever runs the tests. */
export interface Repository {
  readonly path: string;
  /** Its trimmed output; throws where git fails. */
  git(...args: string[]): string;
  /** A file by its path from the root; its own name, twenty times, where no text is given. */
  write(file: string, text?: string): void;
  remove(file: string): void;
  /** Everything as it lies there; the commit's id. */
  commit(message?: string): string;
}

/** A new repository in a folder, on branch main. */
export function repositoryIn(path: string): Repository {
  const repository = openRepository(path);
  repository.git("init", "-q", "-b", "main");
  return repository;
}

/** A clone by the file protocol, which can be shallow. */
export function cloneOf(origin: Repository, path: string, ...options: string[]): Repository {
  origin.git("clone", "-q", ...options, `file://${origin.path}`, path);
  return openRepository(path);
}

export function openRepository(path: string): Repository {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const env = {
    ...Object.fromEntries(inherited),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@example.org",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@example.org",
  };
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: path, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env }).trim();
  return {
    path,
    git,
    write(file, text = `${file}\n`.repeat(20)) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    },
    remove: (file) => rmSync(join(path, file)),
    commit(message = "x") {
      git("add", "-A");
      git("commit", "-q", "--allow-empty", "-m", message);
      return git("rev-parse", "HEAD");
    },
  };
}
