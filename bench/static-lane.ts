import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { median, spread, type Target } from "./figures";
import { sample } from "./processes";
import { plainProject } from "./projects";
import type { StaticSample } from "./static-sample";

const revisions = 2000;
const fresh = 5;

/** The static lane on 2,000 files against their parser alone, and with 5 of them new. */
export async function benchStaticLane(repetitions: number, say: (line: string) => void): Promise<Target[]> {
  await using project = await plainProject(revisions, "psycopg2");
  const base = commitAllBut(project.path, project.revisions.slice(-fresh));
  const samples = { parser: [] as StaticSample[], all: [] as StaticSample[], few: [] as StaticSample[] };
  // A first round that does not count brings files into the page cache.
  for (let round = -1; round < repetitions; round++) {
    const parser = await sample<StaticSample>("parser", project);
    const all = await sample<StaticSample>("static", project);
    const few = await sample<StaticSample>("static", { ...project, base });
    if (parser.count !== revisions || all.count !== revisions || few.count !== fresh)
      throw new Error(`${parser.count} files, ${all.count} and ${few.count} judged`);
    if (round < 0) continue;
    samples.parser.push(parser);
    samples.all.push(all);
    samples.few.push(few);
  }
  const walls = (part: keyof typeof samples) => samples[part].map(({ usage }) => usage.wall);
  const cpus = (part: keyof typeof samples) => samples[part].map(({ usage }) => usage.cpu);
  say(
    `\nStatic lane, ${revisions} revision files, each time in a new process; ${repetitions} times each, in turn`,
  );
  say("                                 wall ms: min  median     max     cpu ms: min  median     max");
  const row = (name: string, part: keyof typeof samples) =>
    say(`  ${name.padEnd(32)} ${spread(walls(part))}            ${spread(cpus(part))}`);
  row("parser alone", "parser");
  row("all under judgement", "all");
  row(`${fresh} under judgement, git included`, "few");
  const ratios = samples.all.map(
    ({ usage }, index) => usage.wall / (samples.parser[index]?.usage.wall ?? Number.NaN),
  );
  return [
    {
      name: `static lane, ${revisions} files, against the parser alone, wall`,
      bound: "at most",
      value: 2,
      unit: "x",
      measured: median(ratios),
    },
    {
      name: `static lane, ${fresh} of ${revisions} files new`,
      bound: "at most",
      value: 0.5,
      unit: " s",
      measured: median(walls("few")) / 1000,
    },
  ];
}

/** A repository whose first commit lacks the files of these revisions; they are in the second. */
function commitAllBut(path: string, left: readonly string[]): string {
  const git = (...words: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=Bench", "-c", "user.email=bench@example.com", ...words], {
      cwd: path,
      encoding: "utf8",
    });
  const folder = join(path, "migrations", "versions");
  const names = readdirSync(folder).filter((file) => left.some((id) => file.endsWith(`${id}.py`)));
  if (names.length !== left.length) throw new Error(`${names.length} files of ${left.length} revisions`);
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("reset", "-q", "--", ...names.map((name) => join(folder, name)));
  git("commit", "-qm", "Before");
  const base = git("rev-parse", "HEAD").trim();
  git("add", "-A");
  git("commit", "-qm", "After");
  return base;
}
