import { pythonEnvironment } from "../../scripts/python-environment.mjs";

/** vitest's global setup: the Python environment is there before the first test; its bin folder is in the environment. */
export default async function setup(): Promise<void> {
  process.env.MIGRATION_GATE_TEST_PYTHON_BIN = await pythonEnvironment();
}
