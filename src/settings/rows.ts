/** What can be said of one table under `rows.tables`, and what it does, for docs and the schema. */
export const tableRowKeys = {
  rows: "How many rows it gets.",
  tier: "hostile: NULL, duplicates, full lengths and extremes wherever the schema allows them. plain: distinct and modest values, no NULL where a value can stand.",
  values: "By column: the only values that it gets.",
  unique: "Columns whose values are never the same in two rows, although no index says so.",
  "not-null": "Columns that are never NULL, although nothing says so.",
} as const;

/** What can be said of all tables under `rows.default`. */
export const defaultRowKeys = ["rows", "tier"] as const satisfies readonly (keyof typeof tableRowKeys)[];

/** What `rows` of migration-gate.yml has. */
export const rowSections = {
  default: "Of every table that says nothing else: ten rows, hostile.",
  reference: "Tables in which nothing is put: their rows come from elsewhere, or from migrations alone.",
  tables:
    "Single tables by name, as the server prints it; the schema may be left out where one table has that name.",
} as const;

export const rowTiers = ["hostile", "plain"] as const;

/** More would make a check slow, and show no more. */
export const mostRowsPerTable = 1000;
