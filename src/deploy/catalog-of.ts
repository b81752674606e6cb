import { readCatalog } from "../databases/postgres/catalog/full-read";
import { catalogSession } from "../databases/postgres/catalog/session";
import { connect } from "../databases/postgres/connection";
import { close, within } from "../databases/postgres/own-session";
import type { Catalog } from "../model/catalog";
import type { SeenDatabase } from "./status";
import type { Target } from "./target";

const catalogLimitMs = 120_000;

/** The database's schema without the tool's own table; on a connection of its own, because reading changes its settings. */
export async function catalogOf(
  { address }: Target,
  versionTable: SeenDatabase["versionTable"],
): Promise<Catalog> {
  const client = await connect(address, { applicationName: "migration-gate observer" });
  try {
    return await within(client, readCatalog(catalogSession(client), versionTable), catalogLimitMs);
  } finally {
    await close(client);
  }
}
