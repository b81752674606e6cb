import { type Address, parseAddress } from "../databases/postgres/connection";
import { UserError } from "../errors";
import type { Settings } from "../settings";
import { databaseVariable } from "../settings/binds";

/** The database that the settings name: database-url, else the variable of database-url-env or bind-url-env. A UserError where none is. */
export function databaseAddress(settings: Settings, environment: NodeJS.ProcessEnv): Address {
  const url = settings["database-url"];
  if (url !== undefined) return parseAddress(url, "database-url");
  const variable = databaseVariable(settings);
  const fromVariable = environment[variable];
  if (fromVariable !== undefined && fromVariable !== "") return parseAddress(fromVariable, variable);
  throw new UserError({
    what: `No database is named: ${variable} is not set.`,
    do: `Put the database's address into ${variable}, or name the variable that has it: --database-url-env NAME`,
  });
}
