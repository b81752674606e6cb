import { execFileSync } from "node:child_process";
import path from "node:path";
import { pythonBin } from "../../support/project";

export interface AlembicReading {
  readonly error?: string;
  readonly revisions?: Readonly<Record<string, unknown>>;
  readonly heads?: readonly string[];
  readonly bases?: readonly string[];
}

interface Request {
  readonly projects?: readonly { readonly root: string; readonly config: string; readonly section: string }[];
  readonly functions?: readonly string[];
}

/** What the real Alembic reads in projects, and what it runs in functions: a number of statements, or an exception. */
export function askAlembic(request: Request): { projects: AlembicReading[]; functions: (number | string)[] } {
  const script = path.join(import.meta.dirname, "agreement.py");
  const input = JSON.stringify({ projects: [], functions: [], ...request });
  const options = {
    input,
    encoding: "utf8",
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONUTF8: "1" },
  } as const;
  const output: unknown = JSON.parse(execFileSync(path.join(pythonBin(), "python"), [script], options));
  return output as ReturnType<typeof askAlembic>;
}
