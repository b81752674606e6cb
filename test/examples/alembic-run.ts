import { execFile } from "node:child_process";
import { compareCatalogs } from "../../src/databases/postgres/catalog/compare";
import { readCatalog } from "../../src/databases/postgres/catalog/full-read";
import { catalogSession } from "../../src/databases/postgres/catalog/session";
import { type Address, urlOf } from "../../src/databases/postgres/connection";
import type { Catalog, CatalogDelta } from "../../src/model/catalog";
import { testClient } from "../support/database";
import { withPython } from "../support/project";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the project against this database, whose URL is in `variable`. */
export function runIn(
  directory: string,
  command: readonly [string, ...string[]],
  address: Address,
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const [file, ...args] = command;
  const url = urlOf(address);
  const all = withPython({ ...process.env, DATABASE_URL: url, BOARDS_DATABASE_URL: url, ...env });
  return new Promise((done) => {
    execFile(file, args, { cwd: directory, env: all, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ code, stdout, stderr });
    });
  });
}

/** The schema as stored, without Alembic's version table. */
export async function schemaOf(address: Address): Promise<Catalog> {
  await using connected = await testClient(address);
  const catalog = await readCatalog(catalogSession(connected.client));
  return new Map([...catalog].filter(([key]) => !key.includes("alembic_version")));
}

export interface RoundTrip {
  /** Exit codes of upgrade, downgrade, upgrade, with the end of stderr where one is not 0. */
  readonly ends: readonly (0 | string)[];
  /** What base has that the empty database had not; column order is no difference. */
  readonly residue: CatalogDelta;
  /** What the second head has that the first had not. */
  readonly drift: CatalogDelta;
  readonly objects: number;
}

/** `alembic upgrade head`, `downgrade base`, `upgrade head` on an empty database. */
export async function roundTrip(
  directory: string,
  address: Address,
  env: NodeJS.ProcessEnv = {},
): Promise<RoundTrip> {
  const ends: (0 | string)[] = [];
  const step = async (...args: string[]) => {
    const { code, stderr } = await runIn(directory, ["alembic", ...args], address, env);
    ends.push(code === 0 ? 0 : stderr.slice(-2000));
    return schemaOf(address);
  };
  const empty = await schemaOf(address);
  const head = await step("upgrade", "head");
  const base = await step("downgrade", "base");
  const again = await step("upgrade", "head");
  const isMeant = ({ key }: CatalogDelta[number]) => !key.startsWith("column order ");
  return {
    ends,
    residue: compareCatalogs(empty, base).filter(isMeant),
    drift: compareCatalogs(head, again).filter(isMeant),
    objects: head.size,
  };
}
