import { existsSync, readFileSync } from "node:fs";
import path, { join } from "node:path";
import { expect, test } from "vitest";
import { openBaseTree } from "../../src/lanes/base-tree";
import { repositoryIn } from "../support/git";
import { writeProject } from "../support/project";

test("a commit's files lie beside what git ignores, and the checkout's environment is left alone", async () => {
  await using project = await writeProject({ ".gitignore": ".venv\n", "app/env.py": "old" });
  const repository = repositoryIn(project.path);
  const commit = repository.commit();
  repository.write("app/env.py", "new");
  repository.write("app/.venv/bin/tool", "linked");
  repository.write("app/untracked.py");
  const app = join(project.path, "app");
  const root = await (async () => {
    await using tree = await openBaseTree(app, commit);
    const text = (file: string) => readFileSync(join(tree.root, file), "utf8");
    expect([text("env.py"), text(".venv/bin/tool"), existsSync(join(tree.root, "untracked.py"))]).toEqual([
      "old",
      "linked",
      false,
    ]);
    // uv run would install the commit's packages, and this folder, into the linked environment.
    expect(tree.environment({ PYTHONPATH: `/elsewhere:${app}` })).toEqual({
      UV_NO_SYNC: "1",
      PYTHONPATH: `/elsewhere:${path.resolve(tree.root)}`,
    });
    return tree.root;
  })();
  expect([existsSync(root), repository.git("status", "--short").split("\n").length]).toEqual([false, 2]);
});
