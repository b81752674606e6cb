import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { pythonBin } from "../test/support/project";
import { benchAction } from "./action";
import { benchApply } from "./apply";
import { benchBackup } from "./backup";
import { benchDeployLane } from "./deploy-lane";
import { isFailure, summaryLine, type Target } from "./figures";
import { benchFreshLane } from "./fresh-lane";
import { wholeCheck } from "./processes";
import { plainProject } from "./projects";
import { benchRows } from "./rows";
import { benchSqlx } from "./sqlx";
import { benchMemory, benchStairway } from "./stairway";
import { benchStaticLane } from "./static-lane";

const quick = process.argv.includes("--quick");
const only = process.argv
  .find((word) => word.startsWith("--only="))
  ?.slice("--only=".length)
  .split(",");
const say = (line: string) => process.stdout.write(`${line}\n`);

say(await machine());
const link = process.argv.find((word) => word.startsWith("--link="))?.slice("--link=".length);
if (link !== undefined) say(`Nothing goes over a network, loopback included, faster than ${link} a second.`);
const parts: Readonly<Record<string, () => Promise<Target[]>>> = {
  "static-lane": () => benchStaticLane(quick ? 3 : 7, say),
  action: () => benchAction(quick ? 3 : 7, say),
  "fresh-lane": () => benchFreshLane(quick ? 3 : 7, say),
  stairway: () => benchStairway(quick ? 1 : 3, say),
  "deploy-lane": () => benchDeployLane(quick ? 3 : 7, quick ? ["psycopg2"] : ["psycopg2", "asyncpg"], say),
  sqlx: () => benchSqlx(quick ? 3 : 7, say),
  rows: () => benchRows(quick ? 3 : 7, say),
  apply: () => benchApply(quick ? 3 : 7, say),
  backup: () =>
    benchBackup(
      quick ? { repetitions: 3, megabytes: 100, most: 1.5 } : { repetitions: 5, megabytes: 500, most: 1.15 },
      say,
    ),
  memory: () => benchMemory(say, quick ? [200] : [200, 1000]),
};
const unknown = only?.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) throw new Error(`--only=${unknown}: there are ${Object.keys(parts).join(", ")}`);
const targets: Target[] = [];
for (const [name, run] of Object.entries(parts))
  if (only === undefined || only.includes(name)) targets.push(...(await run()));
say("");
for (const target of targets) say(summaryLine(target));
say(`load at the end ${load()}`);
process.exitCode = targets.some(isFailure) ? 1 : 0;

async function machine(): Promise<string> {
  const python =
    "import sys,alembic,sqlalchemy;print(sys.version.split()[0],alembic.__version__,sqlalchemy.__version__)";
  const [version, alembic, sqlalchemy] = execFileSync(join(pythonBin(), "python"), ["-c", python], {
    encoding: "utf8",
  })
    .trim()
    .split(" ");
  await using project = await plainProject(1, "psycopg2");
  const { report } = await wholeCheck(project);
  return [
    `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}, load ${load()}`,
    `Node ${process.versions.node}, PostgreSQL ${report.shadow?.version} (${report.shadow?.kind}), Python ${version}, Alembic ${alembic}, SQLAlchemy ${sqlalchemy}`,
    `The tool: ${report.shadow?.isolation}.`,
  ].join("\n");
}

function load(): string {
  return loadavg()
    .map((part) => part.toFixed(2))
    .join(" ");
}
