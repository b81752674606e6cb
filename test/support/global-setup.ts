import { node24 } from "../../scripts/node24.mjs";
import { pythonEnvironment } from "../../scripts/python-environment.mjs";

/**
 * vitest's global setup: the Python environment is there before the first test; its bin folder is in the environment. So is
 * Node 24, which the runner's tests need: no test waits for a registry.
 */
export default async function setup(): Promise<void> {
  process.env.MIGRATION_GATE_TEST_PYTHON_BIN = await pythonEnvironment();
  if (process.platform === "linux" && process.arch === "x64") node24();
}
