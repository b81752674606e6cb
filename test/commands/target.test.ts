import { describe, expect, test } from "vitest";
import type { Finding } from "../../src/model/finding";
import { type Repository, repositoryIn } from "../support/git";
import { alembicFiles, type RevisionSource, writeProject } from "../support/project";
import { compare } from "./compared";

const versions = "migrations/versions";

function revision(id: string, down: string | readonly string[] | null, file = `${id}.py`): RevisionSource {
  return { id, down, upgrade: "", downgrade: "", file };
}

function write(repository: Repository, ...revisions: RevisionSource[]): void {
  const files = alembicFiles({ revisions });
  for (const { id, file = `${id}.py` } of revisions)
    repository.write(`${versions}/${file}`, files[`${versions}/${file}`]);
}

interface Case {
  readonly ours: (repository: Repository) => void;
  readonly theirs: (repository: Repository) => void;
  /** Judge GitHub's merge of both instead of ours alone. */
  readonly merge?: true;
  readonly findings: readonly Partial<Finding>[];
}

const heads = (do_: string, seen: string, revision = "o1"): Partial<Finding> => ({
  rule: "multiple-heads",
  severity: "error",
  revision,
  seen,
  do: do_,
});

const cases: Readonly<Record<string, Case>> = {
  "each has a revision on the same one": {
    ours: (repository) => write(repository, revision("o1", "a")),
    theirs: (repository) => write(repository, revision("t1", "a")),
    findings: [
      heads(
        `Merge the target into this branch. Then set down_revision = "t1" in ${versions}/o1.py, where it is "a". Or merge the heads: alembic merge -m "merge heads" o1 t1`,
        `"o1" is ${versions}/o1.py.\n"t1" is ${versions}/t1.py, from the target at <tip>.`,
      ),
    ],
  },
  "GitHub's merge of both": {
    ours: (repository) => write(repository, revision("o1", "a"), revision("o2", "o1")),
    theirs: (repository) => write(repository, revision("t1", "a"), revision("t2", "t1")),
    merge: true,
    findings: [
      heads(
        `Set down_revision = "t2" in ${versions}/o1.py, where it is "a". Or merge the heads: alembic merge -m "merge heads" o2 t2`,
        `"o2" is ${versions}/o2.py.\n"t2" is ${versions}/t2.py, from the target.`,
        "o2",
      ),
    ],
  },
  "ours has a merge point": {
    ours: (repository) =>
      write(repository, revision("o1", "a"), revision("o2", "a"), revision("o3", ["o1", "o2"])),
    theirs: (repository) => write(repository, revision("t1", "a")),
    findings: [
      heads(
        'Merge the target into this branch. Then merge the heads: alembic merge -m "merge heads" o3 t1',
        `"t1" is ${versions}/t1.py, from the target at <tip>.\n"o3" is ${versions}/o3.py.`,
        "o3",
      ),
    ],
  },
  "two heads that are both new": {
    ours: (repository) => write(repository, revision("o1", "a"), revision("o2", "a")),
    theirs: (repository) => repository.write("README.md"),
    findings: [
      heads(
        'Merge them: alembic merge -m "merge heads" heads. Or give the newer one the other as its down_revision.',
        `"o1" is ${versions}/o1.py.\n"o2" is ${versions}/o2.py.`,
        "o2",
      ),
    ],
  },
  "both have the same number": {
    ours: (repository) => write(repository, revision("0002", "a", "0002_ours.py")),
    theirs: (repository) => write(repository, revision("0002", "a", "0002_theirs.py")),
    findings: [
      {
        rule: "duplicate-revision",
        severity: "error",
        revision: "0002",
        file: `${versions}/0002_ours.py`,
        what: `The revision id "0002" is used by 2 files: ${versions}/0002_ours.py and ${versions}/0002_theirs.py.`,
        seen: "The revision files, and those of the target at <tip>.",
      },
    ],
  },
  "the target deleted what ours follows": {
    ours: (repository) => write(repository, revision("o1", "a")),
    theirs: (repository) => repository.remove(`${versions}/a.py`),
    findings: [
      {
        rule: "missing-parent",
        severity: "error",
        revision: "o1",
        what: 'down_revision of revision "o1" names "a", and no revision file has this id.',
        seen: "The revision files, and those of the target at <tip>.",
      },
    ],
  },
  "the target renumbered what ours follows": {
    ours: (repository) => write(repository, revision("o1", "a")),
    theirs: (repository) => write(repository, revision("a2", null, "a.py")),
    findings: [
      { rule: "missing-parent", revision: "o1" },
      { rule: "multiple-heads", revision: "o1" },
    ],
  },
  "the target moved its file": {
    ours: (repository) => write(repository, revision("o1", "a")),
    theirs: ({ git }) => git("mv", `${versions}/a.py`, `${versions}/0001_a.py`),
    findings: [],
  },
  "only the target has gone on": {
    ours: (repository) => repository.write("README.md"),
    theirs: (repository) => write(repository, revision("t1", "a")),
    findings: [],
  },
  "ours has what the target has": {
    ours: (repository) => write(repository, revision("t1", "a")),
    theirs: (repository) => write(repository, revision("t1", "a")),
    findings: [],
  },
};

describe("a target that has gone on", () => {
  test.for(Object.entries(cases))("%s", async ([, { ours, theirs, merge, findings: wanted }], { expect }) => {
    await using project = await writeProject(alembicFiles({ revisions: [revision("a", null)] }));
    const repository = repositoryIn(project.path);
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    ours(repository);
    repository.commit();
    repository.git("checkout", "-q", "main");
    theirs(repository);
    const tip = repository.commit();
    if (merge === true) {
      repository.git("checkout", "-q", "--detach");
      repository.git("merge", "-q", "--no-ff", "-m", "merge", "topic");
    } else repository.git("checkout", "-q", "topic");
    const { findings } = await compare(project.path, []);
    const shown = findings.map((finding) => ({
      ...finding,
      seen: finding.seen.replaceAll(tip.slice(0, 10), "<tip>"),
    }));
    expect(shown).toEqual(wanted.map((finding) => expect.objectContaining(finding)));
  });
});

test("the whole message", async () => {
  await using project = await writeProject(
    alembicFiles({ revisions: [revision("a", null), revision("b", "a")] }),
  );
  const repository = repositoryIn(project.path);
  const base = repository.commit();
  repository.git("checkout", "-qb", "topic");
  repository.write(`${versions}/a b.py`, 'revision = "a"\ndown_revision = None\n');
  repository.remove(`${versions}/a.py`);
  repository.remove(`${versions}/b.py`);
  repository.commit();
  const { findings } = await compare(project.path, []);
  const common = { direction: undefined, object: undefined, suppressed: false, suppression: undefined };
  const short = base.slice(0, 10);
  expect(findings).toEqual([
    {
      ...common,
      rule: "revision-edited",
      severity: "error",
      revision: "a",
      file: `${versions}/a b.py`,
      line: 1,
      column: 1,
      what: 'Revision "a" was edited after it had landed.',
      where: "revision a",
      seen: `${versions}/a b.py differs from ${short}, the base commit (--base), where it was ${versions}/a.py.`,
      why: "A database that has applied it will not run it again: it keeps what the old text made, and a new database gets the other.",
      do: `Restore it: git checkout ${short} -- ${versions}/a.py; git rm '${versions}/a b.py'\nWrite the change as a new revision; where this edit must stay (a comment, a downgrade that is mended), accept revision-edited in migration-gate.yml with the reason.`,
    },
    {
      ...common,
      rule: "revision-deleted",
      severity: "error",
      revision: "b",
      file: `${versions}/b.py`,
      line: undefined,
      column: undefined,
      what: 'Revision "b" was deleted after it had landed.',
      where: "revision b",
      seen: `${versions}/b.py is in ${short}, the base commit (--base), and is gone now.`,
      why: "A database that has it as its version stops at every command: Can't locate revision identified by 'b'.",
      do: `Restore it: git checkout ${short} -- ${versions}/b.py\nUndo what it does with a new revision.`,
    },
  ]);
});

test("a new revision below one that has landed", async () => {
  await using project = await writeProject(
    alembicFiles({ revisions: [revision("a", null), revision("b", "a")] }),
  );
  const repository = repositoryIn(project.path);
  const base = repository.commit();
  repository.git("checkout", "-qb", "topic");
  write(repository, revision("b", "between"), revision("between", "a"));
  repository.commit();
  const { findings } = await compare(project.path, []);
  expect(findings).toEqual([
    expect.objectContaining({
      rule: "revision-edited",
      revision: "b",
      seen: `${versions}/b.py differs from ${base.slice(0, 10)}, the base commit (--base). Its down_revision was "a" and is "between" now.`,
      why: 'A database that has applied it will never run "between", spliced in below it.',
    }),
  ]);
});
