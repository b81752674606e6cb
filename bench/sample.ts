// One measurement in a process of its own, as cold as the gate's own start: `node sample.mjs <kind> <json>`.
import { optimizeForShortRun } from "../src/optimizer";
import { backupSample } from "./backup-sample";
import { bareSample, bareSqlxSample, stairwaySample } from "./bare";
import { laneSample } from "./lane";
import { parserSample, staticSample } from "./static-sample";

const [kind, text = "{}"] = process.argv.slice(2);
// As the gate's own entry does; what is measured against it stays as Node has it.
if (kind === "lane" || kind === "static" || kind === "backup") optimizeForShortRun();
const project = JSON.parse(text) as { path: string; revisions: string[]; base?: string };
const samples = {
  lane: () => laneSample(project.path),
  bare: () => bareSample(project.path),
  bareSqlx: () => bareSqlxSample(project.path),
  parser: () => parserSample(project.path),
  static: () => staticSample(project.path, project.base),
  backup: () => backupSample(project.path, project.base ?? "", project.revisions[0]),
  stairway: () => stairwaySample(project.path, project.revisions),
};
const sample = samples[kind as keyof typeof samples];
process.stdout.write(JSON.stringify(await sample()));
