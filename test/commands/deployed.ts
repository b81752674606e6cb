import { blames, judge, lintOff } from "../support/gate";
import { repositoryIn } from "../support/git";
import { alembicFiles, alembicProject, type RevisionSource } from "../support/project";

/** What stands on the branch main. */
export const landed: readonly RevisionSource[] = [
  {
    id: "a",
    down: null,
    upgrade: `op.execute("""
CREATE TABLE tenants (id int PRIMARY KEY, slug varchar(60) NOT NULL);
CREATE TABLE countries (code text PRIMARY KEY, name text);
CREATE TABLE users (id serial PRIMARY KEY, email varchar(120) NOT NULL, nickname varchar(80), role text, code text,
  tenant_id int NOT NULL REFERENCES tenants ON DELETE CASCADE, seen_at timestamptz);
""")`,
    downgrade: 'op.execute("DROP TABLE users; DROP TABLE countries; DROP TABLE tenants")',
  },
];

export interface DeployedChange {
  /** New revisions after `a`. */
  readonly revisions: readonly RevisionSource[];
  /** Lines of migration-gate.yml beside those that turn lint rules off. */
  readonly settings?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the change, by their path; text of a landed revision is an edit. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The revision `b`, of SQL each way. */
export function change(upgrade: string, downgrade: string): RevisionSource {
  return { id: "b", down: "a", upgrade: execute(upgrade), downgrade: execute(downgrade) };
}

export function execute(sql: string): string {
  return sql === "" ? "" : `op.execute(${JSON.stringify(sql)})`;
}

/** The check of a change on a branch against main, which has `landed`. */
export async function deployed({
  revisions,
  settings = "",
  args = [],
  env = {},
  files = {},
}: DeployedChange) {
  await using project = await alembicProject({ revisions: landed });
  const repository = repositoryIn(project.path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  const made = alembicFiles({ revisions });
  for (const { id } of revisions)
    repository.write(`migrations/versions/${id}.py`, made[`migrations/versions/${id}.py`]);
  for (const [file, text] of Object.entries(files)) repository.write(file, text);
  repository.write("migration-gate.yml", `${lintOff["migration-gate.yml"]}${settings}`);
  repository.commit();
  const { code, report } = await judge({ cwd: project.path, args: ["--base", "main", ...args], env });
  const accepted = report.findings.filter(
    ({ suppressed, suppression }) => suppressed && suppression !== "this test is about the proof",
  );
  return {
    code,
    report,
    open: blames(report),
    accepted: accepted.map(({ rule, revision, suppression }) => `${rule} ${revision}: ${suppression}`).sort(),
  };
}
