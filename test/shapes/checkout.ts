import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JudgedEnd, judge } from "../support/gate";
import { type Repository, repositoryIn } from "../support/git";
import { type Project, type ProjectFiles, writeProject } from "../support/project";
import { applyChanges, type Changes } from "./shape";

/** A project with its base on main and a change on a branch, to check it more than once. */
export interface Checkout extends AsyncDisposable {
  readonly project: Project;
  readonly repository: Repository;
  check(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<JudgedEnd>;
}

export async function checkoutOf(base: ProjectFiles, change: Changes): Promise<Checkout> {
  const project = await writeProject(base);
  const repository = repositoryIn(project.path);
  repository.git("config", "core.autocrlf", "false");
  repository.commit("base");
  repository.git("checkout", "-qb", "topic");
  applyChanges(repository, change);
  repository.commit("change");
  return {
    project,
    repository,
    check: (args = [], env = {}) => judge({ cwd: project.path, args: ["--base", "main", ...args], env }),
    [Symbol.asyncDispose]: () => project[Symbol.asyncDispose](),
  };
}

export interface Folder extends Disposable {
  readonly path: string;
}

/** A temporary folder that every user can enter; it goes with its block. */
export function folder(name: string): Folder {
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  execFileSync("chmod", ["755", path]);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
