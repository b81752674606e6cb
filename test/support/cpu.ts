/** Seconds of processor time that this takes: neighbours that keep the machine busy do not make them more. */
export function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
