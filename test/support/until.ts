import { setTimeout as sleep } from "node:timers/promises";

/** Asks every 10 ms until it is so; throws after 60 s and says what was waited for. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  milliseconds = 60_000,
): Promise<void> {
  for (const end = performance.now() + milliseconds; !(await isSo()); await sleep(10))
    if (performance.now() > end) throw new Error(`waited ${milliseconds} ms for ${what}`);
}
