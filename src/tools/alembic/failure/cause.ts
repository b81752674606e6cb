/** What one kind of failure says, with the place where it is known better than by the last frame. */
export interface Cause {
  readonly summary: string;
  readonly do: string;
  readonly place?: { readonly file: string; readonly line: number };
  /** True where a running revision is at fault though its code is not in the traceback. */
  readonly ofStep?: boolean;
  /** True where no line of the project is at fault. */
  readonly placeless?: boolean;
}

/** The text as a sentence with its full stop. */
export function sentence(text: string | undefined): string {
  const line = (text ?? "").trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
