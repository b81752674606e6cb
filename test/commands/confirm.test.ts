import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { confirm, type Streams } from "../../src/commands/confirm";
import { messageOf } from "../support/messages";

/** A terminal on which this is typed; undefined closes it (Ctrl-D). */
function terminal(typed: string | undefined): { streams: Streams; shown: () => string } {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  output.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  setTimeout(() => (typed === undefined ? input.end() : input.write(typed)), 10);
  const asTerminal = (stream: PassThrough) => Object.assign(stream, { isTTY: true });
  return { streams: { input: asTerminal(input), output: asTerminal(output) }, shown: () => shown };
}

describe("in a terminal", () => {
  test.each(["y\n", "yes\n", " Y \n", "YES\r\n"])("%j goes on", async (typed) => {
    const { streams, shown } = terminal(typed);
    await confirm("Write it?", { yes: false }, streams);
    expect(shown()).toBe("Write it? [y/N] ");
  });

  test.each(["\n", "n\n", "no\n", "yep\n", "y n\n", undefined])("%j changes nothing", async (typed) => {
    const { streams } = terminal(typed);
    expect(await messageOf(() => confirm("Write it?", { yes: false }, streams))).toBe(
      "error: The answer was not yes. Nothing was changed.\nseen  Write it?\ndo    Start it again and answer y, or say it beforehand: --yes",
    );
  });
});

test("elsewhere nobody is asked, and --yes answers", async () => {
  const streams = { input: new PassThrough(), output: new PassThrough() };
  expect(await messageOf(() => confirm("Write it?", { yes: false }, streams))).toContain(
    "Nobody can be asked",
  );
  await confirm("Write it?", { yes: true }, streams);
});
