import type { Finding } from "../model/finding";
import type { UnusedRowSetting } from "../model/row-settings";
import { factRules } from "./fact-rules";

/** Entries of migration-gate.yml that steer no table or column; `seenBy` names the server and the lane. */
export function rowSettingFindings(
  unused: readonly UnusedRowSetting[],
  { file, seenBy }: { readonly file: string | undefined; readonly seenBy: string },
): Finding[] {
  return unused.map((entry) => ({
    rule: "unused-row-setting",
    severity: "warning",
    revision: undefined,
    direction: undefined,
    file,
    line: entry.line,
    column: 1,
    object: undefined,
    what: whatIsUnused(entry),
    where: file ?? "",
    seen: `${seenBy}; the tables of the base and of the change.`,
    why: factRules["unused-row-setting"].why,
    do: whatToDo(entry),
    suppressed: false,
    suppression: undefined,
  }));
}

function whatIsUnused({ table, column, among, refused }: UnusedRowSetting): string {
  if (refused !== undefined)
    return `The column ${among[0]}.${column} does not take ${refused.map((value) => `"${value}"`).join(", ")}, which rows wants in it.`;
  if (column !== undefined)
    return `The table ${among[0] ?? table} has no column "${column}", which rows names.`;
  return among.length === 0
    ? `There is no table "${table}", which rows names.`
    : `The table "${table}", which rows names, could be ${among.join(" or ")}: none of them is steered.`;
}

function whatToDo({ among, column, nearest, refused }: UnusedRowSetting): string {
  if (refused !== undefined) return "Write values that the column's type and CHECKs take.";
  if (nearest !== undefined) return `Did you mean ${nearest}? ${factRules["unused-row-setting"].do}`;
  return column === undefined && among.length > 0
    ? `Write it with its schema, e.g. ${among[0]}.`
    : factRules["unused-row-setting"].do;
}
