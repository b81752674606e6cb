import { expect, test } from "vitest";
import { broughtBy } from "../../src/project/brought-by";
import { repositoryIn } from "../support/git";
import { writeProject } from "../support/project";

const line = "^revision = .b.";
const text = (id: string) => `revision = "${id}"\n`;

test("the merge that brought it to this branch, not the commit on the other one; a new name is no new revision", async () => {
  await using project = await writeProject({ "app/versions/a.py": text("a") });
  const repository = repositoryIn(project.path);
  repository.commit("first");
  repository.git("checkout", "-qb", "topic");
  repository.write("app/versions/b.py", text("b"));
  repository.commit("b");
  repository.git("checkout", "-q", "main");
  repository.write("app/other.py", "x\n");
  const before = repository.commit("release 2");
  repository.git("merge", "-q", "--no-ff", "-m", "Merge topic", "topic");
  const merge = repository.git("rev-parse", "HEAD");
  repository.git("mv", "app/versions/b.py", "app/versions/b_renamed.py");
  repository.write("app/versions/b_renamed.py", `"""edited"""\n${text("b")}`);
  repository.commit("renamed");
  const root = `${project.path}/app`;
  expect(await broughtBy(root, line, ["*.py"])).toEqual({ commit: merge, subject: "Merge topic", before });
  expect(await broughtBy(root, "^revision = .a.", ["*.py"])).toMatchObject({
    subject: "first",
    before: undefined,
  });
  expect(await broughtBy(root, "^revision = .c.", ["*.py"])).toBeUndefined();
});

test("a version in a file's name, and no repository at all", async () => {
  await using project = await writeProject({ "migrations/1_one.sql": "SELECT 1;\n" });
  const files = [":(glob)**/2_*.sql"];
  expect(await broughtBy(project.path, ".", files)).toBeUndefined();
  const repository = repositoryIn(project.path);
  const before = repository.commit("one");
  repository.write("migrations/2_two.sql", "SELECT 2;\n");
  const commit = repository.commit('say "two"');
  repository.write("migrations/2_two.sql", "SELECT 3;\n");
  repository.commit("edited");
  expect(await broughtBy(project.path, ".", files)).toEqual({ commit, subject: 'say "two"', before });
});
