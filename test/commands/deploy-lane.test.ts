import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blames, judge } from "../support/gate";
import { repositoryIn } from "../support/git";
import { alembicProject, type RevisionSource } from "../support/project";

const landed: RevisionSource[] = [
  {
    id: "0001",
    down: null,
    upgrade: `op.create_table("tenants", sa.Column("id", sa.Integer, primary_key=True), sa.Column("slug", sa.Text, nullable=False))
op.execute("INSERT INTO tenants (id, slug) VALUES (1, 'default')")`,
    downgrade: `op.drop_table("tenants")`,
    message: "tenants",
  },
];

test("a landed revision that was edited is shown by what production would have", async () => {
  await using project = await alembicProject({ revisions: landed });
  const repository = repositoryIn(project.path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  const file = "migrations/versions/0001.py";
  const text = readFileSync(join(project.path, file), "utf8").replace("nullable=False", "nullable=False, unique=True");
  repository.write(file, text);
  const { code, report, stderr } = await judge({ cwd: project.path, args: ["--base", "main"] });
  console.log(stderr, JSON.stringify(report?.deployLane, null, 1), JSON.stringify(report?.timings));
  expect({ code, findings: blames(report) }).toEqual({ code: 1, findings: [] });
});
