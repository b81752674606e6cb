/** What must not outlive this process. Both must be safe to call twice and after the thing is gone. */
export interface Cleanup {
  run(): Promise<void>;
  /** At exit nothing can be awaited: kill and remove as well as can be done. */
  runNow(): void;
}

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type Signal = keyof typeof signals;

/** A clean-up that hangs must not keep the process; GitHub kills 10 s after the first signal. */
const limitMs = 8_000;

const registered = new Set<Cleanup>();
let ending = false;

/**
 * Runs the clean-up when SIGINT, SIGTERM or SIGHUP ends this process, the newest first, then raises the signal again;
 * `runNow` on any other exit. Returns the function that takes it off the list, for the ordinary end.
 */
export function registerCleanup(cleanup: Cleanup): () => void {
  if (registered.size === 0) listen();
  registered.add(cleanup);
  return () => {
    registered.delete(cleanup);
    if (registered.size === 0 && !ending) unlisten();
  };
}

/** True once a signal ends this process: what fails from then on fails because of it, and is no news. */
export function isEnding(): boolean {
  return ending;
}

/** Never returns once a signal ends this process: nothing may be started that the clean-up does not know. */
export async function haltIfEnding(): Promise<void> {
  if (ending) await new Promise<never>(() => undefined);
}

function listen(): void {
  for (const signal of Object.keys(signals)) process.on(signal, onSignal);
  process.on("exit", onExit);
}

function unlisten(): void {
  for (const signal of Object.keys(signals)) process.off(signal, onSignal);
  process.off("exit", onExit);
}

function onSignal(signal: Signal): void {
  // The second signal means now.
  if (ending) end(signal);
  ending = true;
  const limit = new Promise((resolve) => setTimeout(resolve, limitMs));
  void Promise.race([runAll(), limit]).finally(() => {
    process.stderr.write(
      `migration-gate was ended by ${signal}: what it had started is stopped and removed.\n`,
    );
    end(signal);
  });
}

async function runAll(): Promise<void> {
  for (const cleanup of [...registered].reverse()) {
    try {
      await cleanup.run();
      registered.delete(cleanup);
    } catch {
      // It stays on the list: onExit tries what can be done without waiting.
    }
  }
}

function end(signal: Signal): void {
  onExit();
  unlisten();
  process.kill(process.pid, signal);
  // Process 1 of a container is not ended by a signal that it does not handle.
  process.exit(128 + signals[signal]);
}

function onExit(): void {
  for (const cleanup of [...registered].reverse()) {
    try {
      cleanup.runNow();
    } catch {
      // Best effort; the others still have their turn.
    }
  }
  registered.clear();
}
