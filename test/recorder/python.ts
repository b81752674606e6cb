import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Address } from "../../src/databases/postgres/connection";

const run = promisify(execFile);

/** Runs a script with the drivers' Python; argv is host, port and database, then `args`. Its standard output. */
export async function python(
  script: string,
  address: Address,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const bin = process.env.MIGRATION_GATE_TEST_PYTHON_BIN ?? "";
  const { stdout } = await run(
    join(bin, "python"),
    ["-c", script, address.host, String(address.port), address.database, ...args],
    {
      env: {
        PATH: process.env.PATH ?? "",
        PGUSER: address.user,
        PGPASSWORD: address.password ?? "",
        PYTHONIOENCODING: "utf8",
        ...environment,
      },
      timeout: 100_000,
      maxBuffer: 1 << 26,
    },
  );
  return stdout;
}
