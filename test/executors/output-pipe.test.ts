import { once } from "node:events";
import net from "node:net";
import { expect, test } from "vitest";
import { createOutputPipe, openOutputPlace } from "../../src/executors/output-pipe";

/** Closing a socket that has unread bytes resets the other end, as a kill does. */
test("an end that is reset before anybody listens ends nothing else", async () => {
  await using place = await openOutputPlace();
  const far = net.connect({ path: place.path, allowHalfOpen: true }).pause();
  const [reader] = await Promise.all([place.reader, once(far, "connect")]);
  reader.resume();
  const closed = new Promise<void>((resolve) => reader.once("close", () => resolve()));
  reader.write("\n", () => far.destroy());
  await closed;
  expect(reader.errored).toMatchObject({ code: "ECONNRESET" });
});

test("either end of a pair, too", async () => {
  const { reader, writer } = await createOutputPipe();
  reader.pause();
  const closed = new Promise<void>((resolve) => writer.once("close", () => resolve()));
  writer.write("unread", () => reader.destroy());
  await closed;
  expect(writer.errored).toMatchObject({ code: "ECONNRESET" });
});
