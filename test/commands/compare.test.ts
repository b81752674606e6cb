import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRepository, type Repository, repositoryIn } from "../support/git";
import { alembicFiles, type ProjectFiles, type RevisionSource, writeProject } from "../support/project";
import { compare } from "./compared";

const revision = (
  id: string,
  down: string | readonly string[] | null,
  more: Partial<RevisionSource> = {},
) => ({
  id,
  down,
  upgrade: `op.execute("SELECT '${id}'")`,
  downgrade: "",
  ...more,
});
const filesOf = (...revisions: RevisionSource[]): ProjectFiles => alembicFiles({ revisions });
const fileOf = (
  id: string,
  down: string | readonly string[] | null,
  more: Partial<RevisionSource> = {},
): string => filesOf(revision(id, down, { ...more, file: "x.py" }))["migrations/versions/x.py"] ?? "";

const versions = "migrations/versions";
const old = filesOf(revision("a", null), revision("b", "a"));

interface Case {
  /** Committed on main before the change; a and b where none is given. */
  readonly files?: ProjectFiles;
  /** Made in the folder before that. */
  readonly before?: (repository: Repository) => void;
  /** On the branch topic, from main. */
  readonly change: (repository: Repository) => void;
  readonly folder?: string;
  readonly args?: readonly string[];
  /** Each revision that is not unchanged, and each finding. */
  readonly states: Readonly<Record<string, string>>;
  readonly findings?: readonly string[];
  readonly judged?: string;
}

const cases: Readonly<Record<string, Case>> = {
  "nothing but other files": { change: ({ write }) => write("README.md"), states: {} },
  "a new revision": {
    change: ({ write }) => write(`${versions}/c.py`, fileOf("c", "b")),
    states: { c: "new" },
    judged: "c",
  },
  "a new revision that git does not know": {
    change: ({ write, commit }) => {
      commit();
      write(`${versions}/c.py`, fileOf("c", "b"));
    },
    states: { c: "new" },
    findings: ["note untracked-revision c"],
    judged: "c",
  },
  "a new revision that git ignores": {
    files: { ...old, ".gitignore": "c.py\n" },
    change: ({ write }) => write(`${versions}/c.py`, fileOf("c", "b")),
    states: { c: "new" },
    findings: ["note untracked-revision c"],
    judged: "c",
  },
  "a new revision in a repository of its own": {
    files: {
      ...old,
      "alembic.ini":
        "[alembic]\nscript_location = migrations\nversion_locations = migrations/versions more\n",
    },
    change: ({ path, write }) => {
      mkdirSync(join(path, "more"));
      repositoryIn(join(path, "more"));
      write("more/c.py", fileOf("c", "b"));
      openRepository(join(path, "more")).commit();
    },
    states: { c: "new" },
    findings: ["note untracked-revision c"],
    judged: "c",
  },
  "an edited one": {
    change: ({ write }) => write(`${versions}/b.py`, fileOf("b", "a", { upgrade: "op.execute('other')" })),
    states: { b: "edited" },
    findings: ["error revision-edited b"],
    judged: "b",
  },
  "an edit that is not committed": {
    change: ({ write, commit }) => {
      commit();
      write(`${versions}/b.py`, `${fileOf("b", "a")}later = 1\n`);
    },
    states: { b: "edited" },
    findings: ["error revision-edited b"],
    judged: "b",
  },
  "a comment, a docstring, hints and another format are no edit": {
    change: ({ write }) => {
      const typed = fileOf("b", "a").replace(/^revision = /m, "revision: str = ");
      write(`${versions}/b.py`, `# Copyright\n${typed}\n\n# later\n`);
    },
    states: {},
  },
  "another mode is no edit": {
    change: ({ git }) => git("update-index", "--chmod=+x", `${versions}/b.py`),
    states: {},
  },
  "a renamed file": {
    change: ({ git }) => git("mv", `${versions}/b.py`, `${versions}/0002_b.py`),
    states: {},
  },
  "a renamed file that was edited as well": {
    change: ({ git, write }) => {
      git("mv", `${versions}/b.py`, `${versions}/0002_b.py`);
      write(`${versions}/0002_b.py`, `${fileOf("b", "a")}later = 1\n`);
    },
    states: { b: "edited" },
    findings: ["error revision-edited b"],
    judged: "b",
  },
  "a renamed file that git was not told of": {
    change: ({ path, commit }) => {
      commit();
      renameSync(join(path, versions, "b.py"), join(path, versions, "0002_b.py"));
    },
    states: {},
    findings: ["note untracked-revision b"],
  },
  "a file that the index lost": {
    change: ({ git, commit }) => {
      commit();
      git("rm", "-q", "--cached", `${versions}/b.py`);
    },
    states: {},
    findings: ["note untracked-revision b"],
  },
  "a deleted one": {
    change: ({ remove }) => remove(`${versions}/b.py`),
    states: { b: "deleted" },
    findings: ["error revision-deleted b"],
  },
  "a deleted parent": {
    change: ({ remove }) => remove(`${versions}/a.py`),
    states: { a: "deleted" },
    findings: ["error revision-deleted a", "note missing-parent b"],
  },
  "another id": {
    change: ({ write }) => write(`${versions}/b.py`, fileOf("b2", "a")),
    states: { b: "deleted", b2: "new" },
    findings: ["error revision-deleted b"],
    judged: "b2",
  },
  "two that changed their files": {
    change: ({ write }) => {
      write(`${versions}/a.py`, fileOf("b", "a"));
      write(`${versions}/b.py`, fileOf("a", null));
    },
    states: {},
  },
  "a squash": {
    change: ({ write, remove }) => {
      remove(`${versions}/a.py`);
      remove(`${versions}/b.py`);
      write(`${versions}/s.py`, fileOf("s", null));
    },
    states: { a: "deleted", b: "deleted", s: "new" },
    findings: ["error revision-squashed s"],
    judged: "s",
  },
  "the same id again": {
    change: ({ write }) => write(`${versions}/0.py`, fileOf("b", "a", { upgrade: "op.execute('x')" })),
    states: { b: "new" },
    findings: ["error duplicate-revision b"],
    judged: "b",
  },
  "a file that cannot be read": {
    files: { ...old, [`${versions}/odd.py`]: "revision = odd()\n" },
    change: ({ write }) => write(`${versions}/new.py`, "revision = new()\n"),
    states: {},
    findings: ["error not-analysed -", "note not-analysed -"],
  },
  "what is wrong with older ones": {
    files: filesOf(revision("a", null), revision("b", "a"), revision("c", "a")),
    change: ({ write }) => write("README.md"),
    states: {},
    findings: ["note multiple-heads c"],
  },
  "history all": {
    change: ({ write }) => write("README.md"),
    args: ["--history", "all"],
    states: {},
    judged: "a b",
  },
  "a folder with a space, a line break and other letters": {
    folder: "día\n x",
    change: ({ write }) => write(`${versions}/día c.py`, fileOf("c", "b")),
    states: { c: "new" },
    judged: "c",
  },
  "another folder by the configuration, with the files": {
    change: ({ git, write }) => {
      git("mv", "migrations", "db");
      write("alembic.ini", "[alembic]\nscript_location = %(here)s/db\n");
    },
    states: {},
  },
  "another folder by the configuration, without one of the files": {
    change: ({ git, write }) => {
      git("mv", "migrations", "db");
      git("rm", "-qf", "db/versions/b.py");
      write("alembic.ini", "[alembic]\nscript_location = %(here)s/db\n");
    },
    states: { b: "deleted" },
    findings: ["error revision-deleted b"],
  },
  "a version folder that is left out now": {
    files: {
      ...filesOf(revision("a", null)),
      "alembic.ini":
        "[alembic]\nscript_location = migrations\nversion_locations = migrations/versions more\n",
      "more/b.py": fileOf("b", "a"),
    },
    change: ({ write }) => write("alembic.ini", "[alembic]\nscript_location = migrations\n"),
    states: { b: "deleted" },
    findings: ["error revision-deleted b"],
  },
  "the first revision of a project": {
    files: { "README.md": "" },
    change: ({ write }) => {
      for (const [file, text] of Object.entries(filesOf(revision("a", null)))) write(file, text);
    },
    states: { a: "new" },
    judged: "a",
  },
  "a version folder that is listed only now": {
    files: { ...filesOf(revision("a", null)), "more/b.py": fileOf("b", "a") },
    change: ({ write }) =>
      write(
        "alembic.ini",
        "[alembic]\nscript_location = migrations\nversion_locations = migrations/versions more\n",
      ),
    states: { b: "new" },
    judged: "b",
  },
  "links to a version folder and to a file": {
    files: {
      "alembic.ini": old["alembic.ini"] ?? "",
      "real/a.py": fileOf("a", null),
      "files/b.py": fileOf("b", "a"),
    },
    before: ({ path }) => {
      mkdirSync(join(path, "migrations"));
      symlinkSync("../real", join(path, versions));
      symlinkSync("../files/b.py", join(path, "real/b.py"));
    },
    change: ({ write }) => {
      write("real/a.py", `${fileOf("a", null)}later = 1\n`);
      write("files/b.py", `${fileOf("b", "a")}later = 1\n`);
      write("real/c.py", fileOf("c", "b"));
    },
    states: { a: "edited", b: "edited", c: "new" },
    findings: ["error revision-edited a", "error revision-edited b"],
    judged: "a b c",
  },
  "the whole project in another folder": {
    files: Object.fromEntries(Object.entries(old).map(([file, text]) => [`one/${file}`, text])),
    change: ({ git, write, path }) => {
      git("mv", "one", "two");
      rmSync(join(path, "two", versions, "b.py"));
      write(`two/${versions}/c.py`, fileOf("c", "a"));
    },
    states: { b: "deleted", c: "new" },
    findings: ["error revision-deleted b"],
    judged: "c",
  },
  "files that were only touched": {
    change: ({ path, git }) => {
      git("config", "diff.autoRefreshIndex", "false");
      utimesSync(join(path, versions, "b.py"), 1, 1);
    },
    states: {},
  },
  "CRLF by git itself is no edit": {
    files: { ...old, ".gitattributes": "*.py text eol=crlf\n" },
    change: ({ git, remove }) => {
      git("mv", `${versions}/b.py`, `${versions}/0002.py`);
      git("commit", "-qm", "moved");
      remove(`${versions}/0002.py`);
      git("checkout", "-q", "--", ".");
    },
    states: {},
  },
};

describe("what a change did to the revisions", () => {
  test.for(Object.entries(cases))("%s", async ([, given], { expect }) => {
    const { files = old, before, change, folder, args, ...wanted } = given;
    await using project = await writeProject(files, folder === undefined ? {} : { folder });
    const repository = repositoryIn(project.path);
    before?.(repository);
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    const start = repository.git("rev-parse", "HEAD");
    change(repository);
    // Where the case leaves nothing for its own commit, it is all committed.
    if (repository.git("rev-parse", "HEAD") === start) repository.commit();
    const { history, judged, findings } = await compare(project.path, args ?? []);
    const states = [
      ...history.states,
      ...history.deleted.map(({ revision: { id } }) => [id, "deleted"] as const),
    ];
    expect({
      states: Object.fromEntries(states.filter(([, state]) => state !== "unchanged")),
      findings: findings.map(({ severity, rule, revision: id }) => `${severity} ${rule} ${id ?? "-"}`).sort(),
      judged: [...judged].join(" "),
    }).toEqual({ findings: [], judged: "", ...wanted });
  });
});

test("a linked worktree, in a hook of another repository", async () => {
  await using project = await writeProject(old);
  const repository = repositoryIn(project.path);
  repository.commit();
  const folder = join(project.path, "..", "linked");
  repository.git("worktree", "add", "-q", "-b", "topic", folder);
  openRepository(folder).write(`${versions}/c.py`, fileOf("c", "b"));
  process.env.GIT_DIR = "/nowhere/.git";
  try {
    const { history } = await compare(folder, []);
    expect([...history.states]).toEqual([
      ["a", "unchanged"],
      ["b", "unchanged"],
      ["c", "new"],
    ]);
  } finally {
    delete process.env.GIT_DIR;
  }
});
