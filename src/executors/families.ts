import { endFamily, type ProcessFamily, signalFamily } from "./processes";
import { familyPorts } from "./tcp-ports";

/** How long a command may take to end after SIGTERM before it is killed, in milliseconds. */
export const graceMs = 3_000;

const running = new Set<ProcessFamily>();
let exitHook = false;
let ending = false;

/** Has the family ended with this process, whatever ends it but SIGKILL, until the function that it returns is called. */
export function watchOver(family: ProcessFamily): () => void {
  running.add(family);
  if (!exitHook) process.on("exit", killAll);
  exitHook = true;
  return () => running.delete(family);
}

/** Ends every command that runs, as at a time limit. */
export async function terminateAll(): Promise<void> {
  await Promise.all([...running].map((family) => endFamily(family, graceMs)));
}

/**
 * The same at the gate's own SIGINT and SIGTERM. From then on no command starts or returns: what waits for one must
 * not go on, and report what the signal did as the project's failure.
 */
export async function terminateForGood(): Promise<void> {
  ending = true;
  await terminateAll();
}

/** True once terminateForGood was called. */
export function isEnding(): boolean {
  return ending;
}

/**
 * Local ports of the TCP connections that commands of this process have to a port of any server; undefined where that
 * cannot be told (no Linux).
 */
export function commandPorts(serverPort: number): readonly number[] | undefined {
  const ports = [...running].map((family) => familyPorts(family, serverPort));
  return ports.includes(undefined) ? undefined : ports.flatMap((each) => each ?? []);
}

/** At the end of the process no event comes any more. Again until none is left: one that begins a program has no environment for a moment. */
function killAll(): void {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (const family of running) {
    for (let round = 0; round < 10 && signalFamily(family, "SIGKILL"); round++) Atomics.wait(nap, 0, 0, 10);
  }
}
