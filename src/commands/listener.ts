import type { Listener } from "../deploy/job";
import { recordOf, writeRecord } from "../deploy/record";
import { harmless } from "../reports/terminal";
import { redactDeep } from "../secrets";
import type { Settings } from "../settings";

/** Live: what the gate does, and each line of the tool behind a bar, so that none is a command to a runner. */
export function listenerTo(
  stream: NodeJS.WritableStream,
  settings: Pick<Settings, "record-directory">,
  redact: (text: string) => string,
): Listener {
  const write = (line: string) => void stream.write(`${harmless(redact(line))}\n`);
  return {
    say: write,
    onLine: (line) => write(`  | ${line}`),
    record: (report) =>
      writeRecord(
        settings["record-directory"],
        report.command,
        recordOf(redactDeep(report, redact), process.env),
      ),
  };
}

/** Of lines that may be written over, in a log that keeps each: one in so many milliseconds. */
export function seldom(say: (text: string) => void, milliseconds = 15_000): (text: string) => void {
  let last = performance.now();
  return (text) => {
    const now = performance.now();
    if (text === "" || now - last < milliseconds) return;
    last = now;
    say(text);
  };
}
