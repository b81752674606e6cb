import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../make-directory";
import { type Owner, parseOwner, stateOf, thisOwner } from "../shadow/owner";
import type { SessionId } from "./tool-sessions";

const prefix = "running-";
let made = 0;

/**
 * Which sessions a tool was seen to have in one database, in a file beside the records, for a gate that is killed: asyncpg and others take
 * no application_name from outside, and the next run must know what was left. Best effort: what cannot be written is
 * not noted.
 */
export class RunningNote {
  readonly sessions: SessionId[] = [];
  private readonly file: string;

  constructor(
    private readonly directory: string,
    private readonly database: string,
  ) {
    this.file = join(directory, `${prefix}${process.pid}-${++made}.json`);
  }

  add(session: SessionId): void {
    this.sessions.push(session);
    const note: Note = { owner: thisOwner(), database: this.database, sessions: this.sessions };
    try {
      makeDirectory(this.directory);
      writeFileSync(`${this.file}.partial`, JSON.stringify(note), { mode: 0o600 });
      renameSync(`${this.file}.partial`, this.file);
    } catch {
      // The server's own view of the sessions is left.
    }
  }

  end(): void {
    removeNote(this.file);
  }
}

function removeNote(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its sessions are gone: who finds it later ends nothing.
  }
}

interface Note {
  readonly owner: Owner;
  readonly database: string;
  readonly sessions: readonly SessionId[];
}

/** What gates that are gone had noted of a database. */
export interface LeftNotes {
  readonly sessions: readonly SessionId[];
  /** Removes the notes; only once their sessions are gone, or the next run would not know of them. */
  remove(): void;
}

export function leftNotes(directory: string, database: string): LeftNotes {
  const sessions: SessionId[] = [];
  const files: string[] = [];
  for (const name of namesIn(directory)) {
    const file = join(directory, name);
    const note = readNote(file);
    if (note === undefined || note.database !== database || stateOf(note.owner) === "alive") continue;
    sessions.push(...note.sessions);
    files.push(file);
  }
  return { sessions, remove: () => files.forEach(removeNote) };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.startsWith(prefix) && name.endsWith(".json"));
  } catch {
    return [];
  }
}

function readNote(file: string): Note | undefined {
  try {
    const { owner, database, sessions } = JSON.parse(readFileSync(file, "utf8")) as Partial<Note>;
    const known = parseOwner(JSON.stringify(owner));
    if (known === undefined || typeof database !== "string" || !Array.isArray(sessions)) return undefined;
    const valid = sessions.filter(
      ({ pid, backendStart }) => Number.isInteger(pid) && typeof backendStart === "string",
    );
    return { owner: known, database, sessions: valid };
  } catch {
    return undefined;
  }
}
