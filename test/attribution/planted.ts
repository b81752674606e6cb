import { judge, lintOff } from "../support/gate";
import { type GenerateOptions, generateProject, type PlantedDefect } from "../support/generate-project";
import { writeProject } from "../support/project";

/** How a project with planted defects was judged: each list is empty when the gate is right. */
export interface Judged {
  /** Planted, and no error names the revision with a fitting rule. */
  readonly missed: readonly PlantedDefect[];
  /** Errors on revisions without a defect, as `<rule> <revision> <object>: <what>`. */
  readonly innocent: readonly string[];
  readonly planted: number;
}

const fitting: Readonly<Record<PlantedDefect["effect"], readonly string[]>> = {
  residue: ["downgrade-leaves-residue"],
  blocks: ["downgrade-leaves-residue"],
  fails: ["downgrade-fails"],
};

/** Generates the project, runs `migration-gate check` on it, and compares what it names with what was planted. */
export async function judgePlanted(options: GenerateOptions): Promise<Judged> {
  const generated = generateProject(options);
  await using project = await writeProject({ ...generated.files, ...lintOff });
  const { report } = await judge({ cwd: project.path });
  const errors = report.findings.filter(({ severity, suppressed }) => severity === "error" && !suppressed);
  const culprits = new Set(generated.planted.map(({ revision }) => revision));
  return {
    planted: generated.planted.length,
    missed: generated.planted.filter(
      ({ revision, effect }) =>
        !errors.some((finding) => finding.revision === revision && fitting[effect].includes(finding.rule)),
    ),
    innocent: errors
      .filter(({ revision }) => revision === undefined || !culprits.has(revision))
      .map(({ rule, revision, object, what, seen }) => `${rule} ${revision} ${object}: ${what} ${seen}`),
  };
}
