import type { ExtensionFact, RightFacts } from "../../databases/postgres/rights";
import { oneLine, quoted } from "../describe-session";
import { ident } from "./connection";
import type { PreflightProblem, Problems } from "./problem";

export interface RightsContext {
  readonly writes: "apply" | "rollback";
  readonly where: string;
  readonly role: string;
  readonly database: string;
  readonly versionTable: { readonly schema: string; readonly table: string } | undefined;
  /** Where a table without a schema would be made; null where nothing of the search path is there. */
  readonly currentSchema: string | null;
}

export function rightProblems(facts: RightFacts, context: RightsContext): Problems {
  const refusal = versionTable(facts, context);
  const warnings = [owners(facts, context), schemas(facts, context)];
  return {
    refusals: refusal === undefined ? [] : [refusal],
    warnings: warnings.filter((problem) => problem !== undefined),
  };
}

function versionTable(facts: RightFacts, context: RightsContext): PreflightProblem | undefined {
  const { where, role, versionTable: table, database, currentSchema } = context;
  if (table === undefined) {
    // A rollback makes none.
    if (context.writes === "rollback") return undefined;
    if (facts.createInDatabase || facts.createIn.length > 0) return undefined;
    const schema = currentSchema ?? "public";
    return {
      check: "version-table-rights",
      parts: {
        what: `The role ${quoted(role)} may not create a table in any schema, and there is no version table yet.`,
        where,
        seen: `It has no CREATE on a schema of ${quoted(database)}, nor on the database itself.`,
        why: "Since PostgreSQL 15 only the owner may create in the schema public.",
        do: `GRANT USAGE, CREATE ON SCHEMA ${ident(schema)} TO ${ident(role)};`,
      },
    };
  }
  const missing = facts.missingOnVersionTable;
  if (missing.length === 0) return undefined;
  const schema = ident(table.schema);
  const onTable = missing.filter((name) => name !== "USAGE");
  const grants = [
    ...(missing.includes("USAGE") ? [`GRANT USAGE ON SCHEMA ${schema} TO ${ident(role)};`] : []),
    ...(onTable.length > 0
      ? [`GRANT ${onTable.join(", ")} ON ${schema}.${ident(table.table)} TO ${ident(role)};`]
      : []),
  ];
  return {
    check: "version-table-rights",
    parts: {
      what: `The role ${quoted(role)} may not write the version table ${oneLine(`${table.schema}.${table.table}`)}.`,
      where,
      seen: `It lacks ${missing.join(", ")}.`,
      why: "A revision that is applied could not be written down.",
      do: grants.join(" "),
    },
  };
}

function owners(facts: RightFacts, { where, role }: RightsContext): PreflightProblem | undefined {
  const { foreignTables: some, foreignTableCount: count } = facts;
  const [first] = some;
  if (first === undefined) return undefined;
  const more = count > some.length ? `\nand ${count - some.length} more` : "";
  return {
    check: "table-owner",
    parts: {
      what: `The role ${quoted(role)} does not own ${count === 1 ? "a table" : `${count} tables`} of the database, and may not change ${count === 1 ? "it" : "them"}.`,
      where,
      seen: `${some.map(({ name, owner }) => `${oneLine(name)}, owner ${quoted(owner)}`).join("\n")}${more}`,
      why: "Only a member of the owner can alter, index or drop a table (42501 must be owner of table).",
      do: `Where a revision changes one, connect as its owner or: GRANT ${ident(first.owner)} TO ${ident(role)};`,
    },
  };
}

function schemas(
  { closedSchemas }: RightFacts,
  { where, role }: RightsContext,
): PreflightProblem | undefined {
  const [first] = closedSchemas;
  if (first === undefined) return undefined;
  return {
    check: "schema-rights",
    parts: {
      what: `The role ${quoted(role)} may not create in ${closedSchemas.length === 1 ? "a schema" : "schemas"} that has tables of its own.`,
      where,
      seen: closedSchemas.map(quoted).join(", "),
      why: "A new table or a new index there needs CREATE on the schema (42501).",
      do: `GRANT CREATE ON SCHEMA ${ident(first)} TO ${ident(role)};`,
    },
  };
}

/** One refusal for each extension that would not come into being. */
export function extensionProblems(
  facts: readonly ExtensionFact[],
  rights: RightFacts,
  { where, role, database }: RightsContext,
): Problems {
  const refusals = facts.flatMap((fact): PreflightProblem[] => {
    const { name, installed, available, trusted, allowedAll } = fact;
    if (installed) return [];
    const needing = facts
      .filter(({ requires }) => requires.includes(name))
      .map((other) => quoted(other.name));
    const why = `A pending revision creates ${needing.length === 0 ? "it" : `${needing.join(", ")}, which needs it`}.`;
    if (!available) {
      const what = `The server does not have the extension ${quoted(name)}.`;
      const seen = "It is not in pg_available_extensions.";
      const install = `Install its files on the server (Debian: a package postgresql-<major>-…, or postgresql-contrib), or turn it on where your provider lists extensions.`;
      return [{ check: "extension", parts: { what, where, seen, why, do: install } }];
    }
    if (allowedAll || (trusted && rights.createInDatabase)) return [];
    const what = `The role ${quoted(role)} may not create the extension ${quoted(name)}.`;
    const seen = trusted
      ? `It is trusted, and the role has no CREATE on the database ${quoted(database)}.`
      : "It is not trusted, and the role is no superuser.";
    const grant = trusted
      ? `GRANT CREATE ON DATABASE ${ident(database)} TO ${ident(role)};`
      : `Once, as a superuser: CREATE EXTENSION IF NOT EXISTS ${ident(name)}; and IF NOT EXISTS in the revision, too.`;
    return [{ check: "extension", parts: { what, where, seen, why, do: grant } }];
  });
  return { refusals, warnings: [] };
}
