/** SIGKILL to each; one that went with another of them is no error. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended before its turn.
    }
  }
}
