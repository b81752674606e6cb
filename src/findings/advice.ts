import { dropStatement } from "../databases/postgres/remove-objects";
import { identityOf, kindOf } from "../model/catalog";
import type { Revision } from "../model/revision";
import type { ObjectDifference } from "./objects";

/** What to write into the downgrade so that it leaves nothing, as Python where one call does it. */
export function residueAdvice({ key, change }: ObjectDifference, revision: Revision): string {
  const object = `the ${kindOf(key)} ${identityOf(key)}`;
  const downgrade = revision.sql === undefined ? "downgrade()" : (revision.sql.down ?? "the way back");
  if (change === "missing")
    return `Create ${object} again in ${downgrade}, as it was before, or do not drop it there.`;
  if (change === "changed") return `Restore ${object} in ${downgrade} exactly as it was before the upgrade.`;
  if (revision.sql !== undefined) {
    const statement = dropStatement(key) ?? `what removes ${object}`;
    return `Add ${statement} to ${downgrade}.`;
  }
  const drop = dropCall(key) ?? `what removes ${object}`;
  return revision.downgrade === undefined || revision.downgrade.empty
    ? `Write a downgrade() with ${drop}, or say why there is none: raise NotImplementedError("the reason").`
    : `Add ${drop} to downgrade().`;
}

/** Alembic's or SQLAlchemy's own call where there is one, else the DROP statement. */
function dropCall(key: string): string | undefined {
  const names = namesOf(identityOf(key));
  const name = names.at(-1) ?? "";
  switch (kindOf(key)) {
    case "enum type":
      return `sa.Enum(name=${python(name)}${schema(names.slice(0, -1))}).drop(op.get_bind())`;
    case "table":
      return `op.drop_table(${python(name)}${schema(names.slice(0, -1))})`;
    case "index":
      return `op.drop_index(${python(name)}${schema(names.slice(0, -1))})`;
    case "column":
    case "constraint": {
      const table = names.at(-2) ?? "";
      const more = schema(names.slice(0, -2));
      return kindOf(key) === "column"
        ? `op.drop_column(${python(table)}, ${python(name)}${more})`
        : `op.drop_constraint(${python(name)}, ${python(table)}${more})`;
    }
    default: {
      const statement = dropStatement(key);
      return statement === undefined ? undefined : `op.execute(${python(statement)})`;
    }
  }
}

/** `a."b.c".d` → a, b.c, d. */
function namesOf(identity: string): string[] {
  const parts = identity.match(/"(?:[^"]|"")+"|[^".]+/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part));
}

function schema(names: readonly string[]): string {
  const [name] = names;
  return name === undefined || name === "public" ? "" : `, schema=${python(name)}`;
}

/** A Python string; in single quotes where that saves escapes. */
function python(text: string): string {
  const json = JSON.stringify(text);
  if (!text.includes('"') || text.includes("'")) return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"')}'`;
}

/** Advice for a file of SQL. */
export function inSql(text: string): string {
  return text
    .replaceAll("# migration-gate:", "-- migration-gate:")
    .replace(/above the call\b/, "above the statement");
}
