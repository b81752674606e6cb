import { node24 } from "../../scripts/node24.mjs";
import { pythonEnvironment } from "../../scripts/python-environment.mjs";
import { providePrograms } from "./fresh-machine";

/**
 * vitest's global setup: the Python environment is there before the first test; its bin folder is in the environment. So are
 * a PostgreSQL and Node 24, which the runner's tests need: no test waits for a registry.
 */
export default async function setup(): Promise<void> {
  const pythonBin = await pythonEnvironment();
  process.env.MIGRATION_GATE_TEST_PYTHON_BIN = pythonBin;
  await providePrograms(pythonBin);
  if (process.platform !== "linux" || process.arch !== "x64") return;
  try {
    node24();
  } catch {
    // The tests that need it say why it is not there.
  }
}
