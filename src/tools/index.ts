import { alembic } from "./alembic/tool";
import type { MigrationTool, ToolName } from "./contract";
import { flaskMigrate } from "./flask-migrate/tool";
import { numberedSql } from "./numbered-sql/tool";
import { sqlx } from "./sqlx/tool";

/** Every tool, one line each. */
export const tools: readonly MigrationTool[] = [alembic, flaskMigrate, sqlx, numberedSql];

/** A tool by its name. */
export function toolNamed(name: ToolName): MigrationTool {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool named ${name}`);
  return tool;
}
