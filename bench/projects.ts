import { generateProject } from "../test/support/generate-project";
import { type Driver, writeProject } from "../test/support/project";

export interface SampleProject extends AsyncDisposable {
  readonly path: string;
  readonly revisions: readonly string[];
}

/** A project of the plain shape: tables, indexes, columns, checks and types in a cycle of five, all clean. */
export async function plainProject(
  revisions: number,
  driver: Driver,
  transactionPerMigration = false,
): Promise<SampleProject> {
  const generated = generateProject({ seed: 1, revisions, driver, transactionPerMigration, shape: "plain" });
  const project = await writeProject(generated.files);
  return {
    path: project.path,
    revisions: generated.revisions,
    [Symbol.asyncDispose]: () => project[Symbol.asyncDispose](),
  };
}
