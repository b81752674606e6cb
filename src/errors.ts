/** Exit codes of every command (DESIGN: Commands). */
export const exitCodes = { ok: 0, failed: 1, notRun: 2 } as const;

/** The parts of a message: what happened, where, what was seen, why it matters, what to do. */
export interface ErrorParts {
  readonly what: string;
  readonly where?: string;
  readonly seen?: string;
  readonly why?: string;
  readonly do: string;
}

/** A message with what else is wrong and was found in the same run. */
export interface AllErrorParts extends ErrorParts {
  readonly others?: readonly ErrorParts[];
}

/** The user can mend it: settings, project, environment, an address. Nothing could be judged: exit 2. */
export class UserError extends Error {
  override readonly name: string = "UserError";

  constructor(
    readonly parts: AllErrorParts,
    options?: ErrorOptions,
  ) {
    super(parts.what, options);
  }
}

/** The migration tool did not start or ended for a reason of its environment: exit 2, with its last lines. */
export class ToolError extends UserError {
  override readonly name = "ToolError";
}

/** The result of each item. Where some end with a UserError, all of these are thrown as one, the rest as `others`. */
export function mapAll<Item, Result>(items: readonly Item[], run: (item: Item) => Result): Result[] {
  const results: Result[] = [];
  const mistakes: ErrorParts[] = [];
  for (const item of items) {
    try {
      results.push(run(item));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      mistakes.push(...apart(error.parts));
    }
  }
  if (mistakes.length > 0) throw new UserError(together(mistakes));
  return results;
}

/** A message's own parts, then those of its others. */
export function apart({ others = [], ...first }: AllErrorParts): ErrorParts[] {
  return [first, ...others];
}

/** At least one mistake as one message. */
export function together([first, ...others]: readonly ErrorParts[]): AllErrorParts {
  return others.length === 0 ? first! : { ...first!, others };
}

/** What is no UserError is a bug of ours: its message, never its stack. */
export function bugParts(error: unknown): ErrorParts {
  return {
    what: `migration-gate itself failed: ${error instanceof Error ? error.message : String(error)}`,
    why: "This is a bug of migration-gate, not of the project.",
    do: "Report it with the version and this message; MIGRATION_GATE_DEBUG=1 adds where it happened.",
  };
}

const labels = ["where", "seen", "why", "do"] as const;

/** A message as text, in STYLE's form: one line, then the labelled parts that are there; the same for each of `others`. */
export function formatError({ parts }: Pick<UserError, "parts">): string {
  return apart(parts).map(formatParts).join("\n");
}

function formatParts(parts: ErrorParts): string {
  const lines = [`error: ${parts.what}`];
  for (const label of labels) {
    const text = parts[label];
    if (text === undefined || text === "") continue;
    const [first, ...rest] = text.split("\n");
    lines.push(`${label.padEnd(5)} ${first}`, ...rest.map((line) => `      ${line}`));
  }
  return lines.join("\n");
}
