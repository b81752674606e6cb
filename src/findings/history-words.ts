import type { EnvironmentState } from "../model/environment";
import type { Finding } from "../model/finding";
import type { Revision } from "../model/revision";
import type { RevisionText } from "../operations/difference";
import type { LandedRevision, RevisionHistory } from "../revisions/history";

/** What the words of a finding on the history need beside the history itself. */
export interface HistoryContext {
  readonly history: RevisionHistory;
  readonly revisions: readonly Revision[];
  /** The upgrade's text of a revision as it is, and as it landed; `libpg-query`'s loadModule() must have resolved. */
  textOf(revision: Revision): RevisionText;
  landedTextOf(landed: LandedRevision): RevisionText;
  /** The line by which a person makes the version table hold this id alone; undefined where the tool has none. */
  stampLine(id: string): string | undefined;
  /** Statements after which the version table has no rows of `gone`, and those of `there` as their files are now. */
  rowStatements(gone: readonly string[], there: readonly Revision[]): readonly string[];
  /** True where a row's checksum is that of the file as it is now. */
  isApplied(revision: Revision, checksum: string): boolean;
  /** The variable from which the project reads its database's address. */
  readonly databaseUrlEnv: string;
  /** What the environments hold; undefined where the settings list none, or nothing has to be known of them. */
  readonly environments: readonly EnvironmentState[] | undefined;
}

export const common = {
  revision: undefined,
  direction: undefined,
  file: undefined,
  line: undefined,
  column: undefined,
  object: undefined,
  suppressed: false,
  suppression: undefined,
} as const satisfies Partial<Finding>;

const shownAtOnce = 4;

/** A few of them, and how many more there are. */
export function some(parts: readonly string[]): string {
  const more = parts.length - shownAtOnce;
  return more > 1 ? `${parts.slice(0, shownAtOnce).join(", ")} and ${more} more` : parts.join(", ");
}

export function quoted(ids: readonly string[]): string[] {
  return ids.map((id) => `"${id}"`);
}

export function idsOf({ parents }: Revision): string {
  return parents.length === 0 ? "None" : quoted(parents).join(", ");
}

export function shortOf({ base }: Pick<RevisionHistory, "base">): string {
  return base.commit.slice(0, 10);
}

export function commitText({ base }: Pick<RevisionHistory, "base">): string {
  return `${shortOf({ base })}, the base commit (${base.source})`;
}

/** A name that a POSIX shell takes for one word. */
export function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
