import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Project, writeProject } from "../support/project";

const boards = resolve(import.meta.dirname, "..", "..", "examples", "boards");
const newest = "migrations/versions/2026_6_2-longer_titles.py";

export interface PullRequestRepository extends Project {
  /** The head of the pull request, as GitHub's checkout has it: a merge into its base. */
  change(defects: readonly string[]): void;
  /** Its base, as it was before. */
  base(): void;
  /** The event of the pull request, from this repository or a fork. */
  event(from?: string): object;
  /** The event of a merge queue that holds it alone. */
  mergeGroup(): object;
}

/**
 * A repository with examples/boards in packages/backend and one workflow. `change` makes the pull request anew: it adds
 * the newest revision, with these defects of the example.
 */
export async function pullRequestRepository(workflow: string): Promise<PullRequestRepository> {
  const project = await writeProject({ "README.md": "Boards\n" }, { folder: "repository" });
  const root = project.path;
  const backend = join(root, "packages", "backend");
  const git = (...words: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=Tests", "-c", "user.email=tests@example.com", ...words], {
      cwd: root,
      encoding: "utf8",
    }).trim();
  mkdirSync(join(root, ".github", "workflows"), { recursive: true });
  cpSync(workflow, join(root, ".github", "workflows", "workflow.yml"));
  mkdirSync(dirname(backend), { recursive: true });
  cpSync(boards, backend, {
    recursive: true,
    filter: (file) => !/(?:\/defects|__pycache__)$/.test(file),
  });
  const left = join(root, "newest.py");
  renameSync(join(backend, newest), left);
  git("init", "-q", "-b", "main");
  git("remote", "add", "origin", "https://github.com/acme/boards.git");
  git("add", "packages", ".github", "README.md");
  git("commit", "-qm", "Boards");
  const base = git("rev-parse", "HEAD");
  return {
    ...project,
    base: () => void git("checkout", "-qf", "--detach", base),
    event: (from = "acme/boards") => pullRequestEvent(base, git("rev-parse", "longer-titles"), from),
    mergeGroup: () => ({
      action: "checks_requested",
      merge_group: {
        base_sha: base,
        head_sha: git("rev-parse", "HEAD"),
        base_ref: "refs/heads/main",
        head_ref: "refs/heads/gh-readonly-queue/main/pr-7",
      },
      repository,
    }),
    change(defects) {
      git("checkout", "-qf", "-B", "longer-titles", base);
      cpSync(left, join(backend, newest));
      for (const defect of defects) {
        const patch = join(boards, "defects", `${defect}.patch`);
        git("apply", "--whitespace=nowarn", "--directory=packages/backend", patch);
      }
      git("add", "packages");
      git("commit", "-qm", "Longer titles");
      git("checkout", "-q", "--detach", base);
      git("merge", "-q", "--no-ff", "-m", "Merge longer-titles into main", "longer-titles");
    },
  };
}

const repository = {
  name: "boards",
  full_name: "acme/boards",
  owner: { login: "acme" },
  default_branch: "main",
};

/** What GitHub gives a run for a pull request, as far as anything here reads it. */
function pullRequestEvent(base: string, head: string, from: string): object {
  return {
    action: "synchronize",
    number: 7,
    pull_request: {
      number: 7,
      head: { ref: "longer-titles", sha: head, repo: { full_name: from, fork: from !== "acme/boards" } },
      base: { ref: "main", sha: base, repo: { full_name: "acme/boards" } },
    },
    repository,
    sender: { login: "dev" },
  };
}

/** The first fenced block of YAML below a heading of a document. */
export function workflowIn(file: string, heading: string): string {
  const [, section = ""] = readFileSync(file, "utf8").split(`\n${heading}\n`);
  return /```yaml\n(.*?)```/s.exec(section)?.[1] ?? "";
}
