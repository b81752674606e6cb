import type { TableFacts } from "../databases/postgres/table-facts";
import type { QualifiedName } from "../model/operation";
import type { KnownObjects } from "../operations/data-query";

/** Keys and constraints of a database's tables, for questions whose statements do not say them. */
export function knownObjects(tables: readonly TableFacts[]): KnownObjects {
  // Without a schema search_path decides, which nobody knows here.
  const tableOf = ({ schema, name }: QualifiedName): TableFacts | undefined => {
    const named = tables.filter((table) => table.name === name);
    const found = schema === undefined ? named : named.filter((table) => table.schema === schema);
    return found.length === 1 ? found[0] : undefined;
  };
  return {
    primaryKeyOf: (table) => {
      const key = tableOf(table)?.primaryKey ?? [];
      return key.length === 0 ? undefined : key;
    },
    constraintOf: (table, constraint) => {
      const constraints = tableOf(table)?.constraints ?? {};
      return Object.hasOwn(constraints, constraint) ? constraints[constraint] : undefined;
    },
  };
}
