import type { DataQuery } from "../model/rows";
export function dataQueries(_sql: string): readonly DataQuery[] {
  return [];
}
