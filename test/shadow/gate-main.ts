import { connect } from "../../src/databases/postgres/connection";
import { formatError, UserError } from "../../src/errors";
import type { ShadowOptions } from "../../src/shadow/server";
import { startShadow } from "../../src/shadow/start";

/** A stand-in for the gate's process: starts a shadow server, reports it on one line, then ends as it is told. */
async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? "{}") as ShadowOptions;
  const server = await startShadow(options);
  const database = await server.createDatabase("gate");
  const client = await connect(database.address);
  const { rows } = await client.query<{ setting: string }>("SHOW data_directory").catch(() => ({ rows: [] }));
  const dataDirectory = rows[0] === undefined ? "" : Object.values(rows[0])[0];
  await client.end();
  const report = {
    version: server.version,
    processes: server.processes(),
    dataDirectory,
    database: database.name,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  switch (process.argv[3]) {
    case "exit":
      process.exit(3);
      break;
    case "throw":
      throw new Error("a bug");
    case "dispose":
      await server[Symbol.asyncDispose]();
      break;
    default:
      setInterval(() => {}, 1_000);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(error instanceof UserError ? formatError(error) : String(error));
  process.exitCode = 2;
});
