import type { CandidateRow } from "../databases/postgres/tool-activity";
import { isSchemaChange } from "./patient-statement";
import type { RecognisedBy } from "./watch-events";

export interface RecogniseOptions {
  /** Local ports of the tool's connections; undefined: they cannot be told, or say nothing of what the server sees. */
  readonly toolPorts: (() => readonly number[] | undefined) | undefined;
}

/** A connection is there before its session is: one look would do, were both lists from the same moment. */
const looks = 3;

/**
 * Which sessions are the tool's. libpq's drivers take PGAPPNAME; asyncpg and pg8000 do not, and are known by the port
 * that a process of the tool has open. Where neither can be had, only a session of the same role that came after the
 * start and changes the schema of tables under a strong lock is taken for it, and none once one has the name.
 */
export class Recogniser {
  readonly #options: RecogniseOptions;
  readonly #known = new Map<string, RecognisedBy>();
  readonly #looks = new Map<string, number>();
  #named = false;

  constructor(options: RecogniseOptions) {
    this.#options = options;
  }

  /** Those of the tool, of one reading. */
  recognise(candidates: readonly CandidateRow[]): Map<CandidateRow, RecognisedBy> {
    this.#named ||= candidates.some(({ named }) => named);
    let ports: readonly number[] | undefined;
    let asked = false;
    const portsNow = () => {
      if (!asked) ports = this.#options.toolPorts?.();
      asked = true;
      return ports;
    };
    const found = new Map<CandidateRow, RecognisedBy>();
    for (const candidate of candidates) {
      const by = this.#one(candidate, portsNow);
      if (by === undefined) continue;
      this.#known.set(keyOf(candidate), by);
      found.set(candidate, by);
    }
    return found;
  }

  #one(candidate: CandidateRow, portsNow: () => readonly number[] | undefined): RecognisedBy | undefined {
    if (candidate.named) return "application name";
    const key = keyOf(candidate);
    const known = this.#known.get(key);
    if (known === "port") return known;
    if (this.#options.toolPorts !== undefined) {
      const seen = this.#looks.get(key) ?? 0;
      if (seen >= looks) return undefined;
      const ports = portsNow();
      if (ports !== undefined) {
        this.#looks.set(key, seen + 1);
        return candidate.sameClient && candidate.port !== null && ports.includes(candidate.port)
          ? "port"
          : undefined;
      }
    }
    if (this.#named) return undefined;
    if (known !== undefined) return known;
    return candidate.strong && isSchemaChange(candidate.query ?? "") ? "locks" : undefined;
  }
}

export function keyOf({ pid, backendStart }: Pick<CandidateRow, "pid" | "backendStart">): string {
  return `${pid} ${backendStart}`;
}
