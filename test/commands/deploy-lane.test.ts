import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blames, judge } from "../support/gate";
import { repositoryIn } from "../support/git";
import { alembicProject, type RevisionSource, alembicFiles } from "../support/project";

const landed: RevisionSource[] = [
  {
    id: "0001",
    down: null,
    upgrade: `op.create_table("tenants", sa.Column("id", sa.Integer, primary_key=True), sa.Column("slug", sa.String(60), nullable=False))
op.execute("INSERT INTO tenants (id, slug) VALUES (1, 'default')")`,
    downgrade: `op.drop_table("tenants")`,
    message: "tenants",
  },
  {
    id: "0002",
    down: "0001",
    upgrade: `op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String(120), nullable=False), sa.Column("nickname", sa.String(80)), sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False), sa.Column("seen_at", sa.DateTime(timezone=True)))`,
    downgrade: `op.drop_table("users")`,
    message: "users",
  },
];

interface Change { upgrade: string; downgrade: string; edit?: readonly [file: string, from: string, to: string] }

const changes: Record<string, Change> = {
  "a required column without a default": { upgrade: `op.add_column("users", sa.Column("role", sa.Text, nullable=False))`, downgrade: `op.drop_column("users", "role")` },
  "a unique index over duplicates": { upgrade: `op.create_index("users_nickname_key", "users", ["nickname"], unique=True)`, downgrade: `op.drop_index("users_nickname_key")` },
  "NOT NULL over NULL": { upgrade: `op.alter_column("users", "nickname", nullable=False)`, downgrade: `op.alter_column("users", "nickname", nullable=True)` },
  "narrowed": { upgrade: `op.alter_column("users", "nickname", type_=sa.String(10))`, downgrade: `op.alter_column("users", "nickname", type_=sa.String(80))` },
  "dropped and made again": { upgrade: `op.drop_column("users", "nickname")`, downgrade: `op.add_column("users", sa.Column("nickname", sa.String(80)))` },
  "seen_at to date": { upgrade: `op.alter_column("users", "seen_at", type_=sa.Date)`, downgrade: `op.alter_column("users", "seen_at", type_=sa.DateTime(timezone=True))` },
  "rename and back": { upgrade: `op.alter_column("users", "nickname", new_column_name="handle")`, downgrade: `op.alter_column("users", "handle", new_column_name="nickname")` },
  "a default tenant that cascades": { upgrade: `op.execute("INSERT INTO tenants (id, slug) VALUES (77, 'eu')")`, downgrade: `op.execute("DELETE FROM tenants")` },
  "column with default": { upgrade: `op.add_column("users", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))`, downgrade: `op.drop_column("users", "active")` },
  "loosened and back": { upgrade: `op.alter_column("users", "email", nullable=True)`, downgrade: `op.alter_column("users", "email", nullable=False)` },
  "edited base": { upgrade: `op.add_column("people", sa.Column("x", sa.Text))`, downgrade: `op.drop_column("people", "x")`, edit: ["0002", '"users"', '"people"'] },
};

for (const [name, change] of Object.entries(changes)) {
  test(name, async () => {
    await using project = await alembicProject({ revisions: landed });
    const repository = repositoryIn(project.path);
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    if (change.edit) {
      const file = `migrations/versions/${change.edit[0]}.py`;
      repository.write(file, readFileSync(join(project.path, file), "utf8").replaceAll(change.edit[1], change.edit[2]));
    }
    const next = alembicFiles({ revisions: [{ id: "0003", down: "0002", message: "x", upgrade: change.upgrade, downgrade: change.downgrade }] });
    repository.write("migrations/versions/0003.py", next["migrations/versions/0003.py"]);
    const { code, report, stderr } = await judge({ cwd: project.path, args: ["--base", "main"] });
    console.log(name, code, stderr.slice(0, 300), JSON.stringify(blames(report), null, 1), JSON.stringify({ ...report?.deployLane, steps: 0 }), JSON.stringify(report?.timings), report.findings.filter((f) => /rows|loses|deployed/.test(f.rule)).map((f) => `${f.what}\n ${f.seen}\n ${f.do}`).join("\n\n"));
    expect(1).toEqual(1);
  });
}
