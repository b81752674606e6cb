/** undefined_function, undefined_object (a type), undefined_table, invalid_schema_name. */
const missing = /^(?:42883|42704|42P01|3F000)$/;

/** What to set where a statement names what a shadow does not have and production may; undefined for another error. */
export function serverLacks(sqlstate: string | undefined): string | undefined {
  if (sqlstate === undefined || !missing.test(sqlstate)) return undefined;
  return "give the shadow what production has: its major version (postgres-version), its image (shadow-url), or what made it there before the first revision (setup)";
}
