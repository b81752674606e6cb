import { readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blames } from "../support/gate";
import { checkoutOf, folder } from "./checkout";
import { landed, project, revision, revisionFiles, sql } from "./shape";

/** Is lost in the deploy lane alone, on the rows of the base. */
const change = revisionFiles(sql("0003", "0002", ["SELECT 1"], ["DELETE FROM users"]));
const found = ["error downgrade-loses-data 0003 table public.users"];

test("a base is kept for the next check, and built anew when what it comes from changes", async () => {
  using cache = folder("kept-base");
  const env = { MIGRATION_GATE_CACHE: cache.path };
  await using checkout = await checkoutOf(
    { ...project(), "rows.sql": "INSERT INTO tenants VALUES (7, 'x');\n" },
    change,
  );
  const { repository } = checkout;
  const look = async (args: readonly string[] = []) => {
    const { report } = await checkout.check(args, env);
    return { kept: report.deployLane?.kept, findings: blames(report) };
  };
  expect(await look()).toEqual({ kept: false, findings: found });
  expect(await look()).toEqual({ kept: true, findings: found });
  const seed = ["--seed", "rows.sql"];
  expect(await look(seed)).toMatchObject({ kept: false, findings: found });
  expect(await look(seed)).toMatchObject({ kept: true, findings: found });

  repository.git("checkout", "-q", "main");
  const [, users = landed[0]] = landed;
  if (users === undefined) throw new Error("no landed revision");
  repository.write("rows.sql", "INSERT INTO tenants VALUES (8, 'y');\n");
  repository.commit("other rows");
  repository.git("checkout", "-q", "topic");
  repository.git("merge", "-q", "main");
  expect(await look(seed)).toMatchObject({ kept: false, findings: found });

  repository.git("checkout", "-q", "main");
  repository.write("README.md", "x\n");
  repository.commit("another base");
  repository.git("checkout", "-q", "topic");
  repository.git("merge", "-q", "main");
  expect((await look()).findings).toEqual(found);
});

test("a seed that is not committed yet counts as it lies there", async () => {
  using cache = folder("kept-base");
  const env = { MIGRATION_GATE_CACHE: cache.path };
  await using checkout = await checkoutOf(project(), change);
  const kept: unknown[] = [];
  for (const slug of ["x", "x", "y"]) {
    checkout.repository.write("rows.sql", `INSERT INTO tenants VALUES (7, '${slug}');\n`);
    const { report } = await checkout.check(["--seed", join(checkout.project.path, "rows.sql")], env);
    kept.push(report.deployLane?.kept, report.deployLane?.status);
  }
  expect(kept).toEqual([false, "failed", true, "failed", false, "failed"]);
});

/** The folder of the one kept base. */
function onlyOne(cache: string): string {
  const bases = join(cache, "bases");
  const [name, ...more] = readdirSync(bases).filter((each) => !each.startsWith("."));
  expect(more).toEqual([]);
  return join(bases, name ?? "none");
}

function largestFile(root: string): string {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return files.sort((left, right) => statSync(right).size - statSync(left).size)[0] ?? root;
}

const damages: Readonly<Record<string, (kept: string) => void>> = {
  "a table's file is cut": (kept) => truncateSync(largestFile(join(kept, "data", "base")), 8192),
  "a file is gone": (kept) => rmSync(join(kept, "data", "global", "pg_control")),
  "its description is gone": (kept) => rmSync(join(kept, "base.json")),
  "its description is cut": (kept) => truncateSync(join(kept, "base.json"), 20),
};

test("a kept base that is damaged is built anew", async () => {
  using cache = folder("kept-base");
  const env = { MIGRATION_GATE_CACHE: cache.path };
  await using checkout = await checkoutOf(project(), change);
  await checkout.check([], env);
  for (const [name, damage] of Object.entries(damages)) {
    damage(onlyOne(cache.path));
    const { report } = await checkout.check([], env);
    expect([name, report.deployLane?.kept, blames(report)]).toEqual([name, false, found]);
  }
  const { report } = await checkout.check([], env);
  expect([report.deployLane?.kept, blames(report)]).toEqual([true, found]);
});

test("two checks of one base at once, and one while it is removed", async () => {
  using cache = folder("kept-base");
  const env = { MIGRATION_GATE_CACHE: cache.path };
  await using one = await checkoutOf(project(), change);
  await using other = await checkoutOf(
    project(),
    revisionFiles(
      revision(
        "0003",
        "0002",
        'op.add_column("users", sa.Column("c", sa.Text))',
        'op.drop_column("users", "c")',
      ),
    ),
  );
  const both = () => Promise.all([one.check([], env), other.check([], env)]);
  const told = async () => (await both()).map(({ code, report }) => [code, blames(report)]);
  const right = [
    [1, found],
    [0, []],
  ];
  expect(await told()).toEqual(right);
  expect(await told()).toEqual(right);
  const running = told();
  for (let times = 0; times < 20; times++) {
    rmSync(onlyOneOrNone(cache.path), { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await running).toEqual(right);
});

function onlyOneOrNone(cache: string): string {
  const bases = join(cache, "bases");
  return join(bases, readdirSync(bases).find((each) => !each.startsWith(".")) ?? "none");
}
