import { parseAddress } from "../../src/databases/postgres/connection";
import { takeGateLock } from "../../src/deploy/gate-lock";

/** A process that takes the gate's lock on argv[2], tells the session's pid on one line, and holds it until it is killed. */
async function main(): Promise<void> {
  const lock = await takeGateLock(parseAddress(process.argv[2] ?? "", "DATABASE_URL"), {
    waitMs: 0,
    onWait: () => undefined,
    applicationName: "migration-gate apply holder",
  });
  process.stdout.write(`${lock.pid}\n`);
  setInterval(() => {}, 1_000);
}

void main();
