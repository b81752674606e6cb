import { blames, type GateOptions, type JudgedEnd, judge } from "../support/gate";
import { type Repository, repositoryIn } from "../support/git";
import { alembicFiles, type ProjectFiles, type RevisionSource, writeProject } from "../support/project";

/** Files by their path; null takes one away. */
export type Changes = Readonly<Record<string, string | null>>;

/** A change and what `check` has to say of it, beside notes. */
export interface Told {
  readonly change: Changes;
  /** `<severity> <rule> <revision> <object>`, the whole set of errors and warnings, sorted. */
  readonly findings: readonly string[];
  /** Notes on what happened to rows or to the lane, sorted; none where none are named. */
  readonly notes?: readonly string[];
  /** Of the deploy lane; proved where nothing is found in it. */
  readonly lane?: "proved" | "failed" | "not proved";
}

/** One of the shapes that real projects have: a base commit, the change that is wrong, and the same one mended. */
export interface Shape extends Pick<GateOptions, "args" | "env"> {
  readonly base: ProjectFiles;
  /** What the target got since the change began. */
  readonly target?: Changes;
  readonly bad: Told;
  /** The mended change; without findings where none are named. */
  readonly good?: Omit<Told, "findings"> & Partial<Pick<Told, "findings">>;
}

/** A project's files with these changes on top of its base commit, on a branch of its own. */
export function applyChanges(repository: Repository, changes: Changes): void {
  for (const [file, text] of Object.entries(changes)) {
    if (text === null) repository.remove(file);
    else repository.write(file, text);
  }
}

/** `check --base main` of a committed change to a committed base. */
export async function judgeChange(
  { base, target, args = [], env }: Pick<Shape, "base" | "target" | "args" | "env">,
  change: Changes,
): Promise<JudgedEnd> {
  await using project = await writeProject(base);
  const repository = repositoryIn(project.path);
  repository.git("config", "core.autocrlf", "false");
  repository.commit("base");
  repository.git("checkout", "-qb", "topic");
  applyChanges(repository, change);
  repository.commit("change");
  if (target !== undefined) {
    repository.git("checkout", "-q", "main");
    applyChanges(repository, target);
    repository.commit("target");
    repository.git("checkout", "-q", "topic");
  }
  const options = { cwd: project.path, args: ["--base", "main", ...args] };
  return await judge(env === undefined ? options : { ...options, env });
}

const ofTheLane =
  /^note (?:downgrade-loses-data|upgrade-loses-data|may-fail-on-rows|deploy-lane-not-proved) /;

/** What a test compares: the exit code, the whole set of errors and warnings, the lane's notes, and how it ended. */
export function toldBy({ code, report }: JudgedEnd) {
  const all = blames(report);
  return {
    code,
    findings: all.filter((blame) => !blame.startsWith("note ")),
    notes: all.filter((blame) => ofTheLane.test(blame)),
    lane: report.deployLane?.status,
  };
}

/** The same as it is to be. */
export function expected({ findings = [], notes = [], lane = "proved" }: Partial<Told>) {
  const hasError = findings.some((finding) => finding.startsWith("error "));
  return { code: hasError ? 1 : 0, findings, notes, lane };
}

/** Files of revisions in migrations/versions/. */
export function revisionFiles(...revisions: readonly RevisionSource[]): ProjectFiles {
  return Object.fromEntries(
    Object.entries(alembicFiles({ revisions })).filter(([file]) => file.startsWith("migrations/versions/")),
  );
}

/** A revision of this name after `down`. */
export function revision(
  id: string,
  down: RevisionSource["down"],
  upgrade: string,
  downgrade: string,
  more: Partial<RevisionSource> = {},
): RevisionSource {
  return { id, down, upgrade, downgrade, ...more };
}

/** A revision of SQL statements, one operation each. */
export function sql(
  id: string,
  down: RevisionSource["down"],
  upgrade: readonly string[],
  downgrade: readonly string[],
): RevisionSource {
  const execute = (statements: readonly string[]) =>
    statements.map((text) => `op.execute(${JSON.stringify(text)})`).join("\n");
  return { id, down, upgrade: execute(upgrade), downgrade: execute(downgrade) };
}

/** Two landed revisions with what most defects need: a tenant that a migration made, users that hang on it. */
export const landed: readonly RevisionSource[] = [
  revision(
    "0001",
    null,
    `op.create_table("tenants", sa.Column("id", sa.Integer, primary_key=True), sa.Column("slug", sa.String(60), nullable=False))`,
    'op.drop_table("tenants")',
  ),
  revision(
    "0002",
    "0001",
    `op.create_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id", name="users_tenant_fk", ondelete="CASCADE"), nullable=False),
    sa.Column("email", sa.String(120), nullable=False),
    sa.Column("nickname", sa.String(80)),
    sa.Column("plan", sa.Text, server_default="free", nullable=False),
    sa.Column("note", sa.Text),
)
op.create_index("users_tenant_ix", "users", ["tenant_id"])`,
    'op.drop_table("users")',
  ),
];

/** A project with these revisions landed, `landed` where none are given. */
export function project(revisions: readonly RevisionSource[] = landed): ProjectFiles {
  return alembicFiles({ revisions });
}
