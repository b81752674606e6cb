import { formatError, UserError } from "../../src/errors";

/** The text of the UserError that it ends with; any other end is an error of the test. */
export async function messageOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof UserError) return formatError(error);
    throw error;
  }
  throw new Error("nothing was thrown");
}
