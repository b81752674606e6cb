import { alembic } from "./alembic/tool";
import type { MigrationTool, ToolName, ToolProject } from "./contract";
import { flaskMigrate } from "./flask-migrate/tool";
import { numberedSql } from "./numbered-sql/tool";
import { sqlx } from "./sqlx/tool";

/** Every tool, one line each. */
export const tools: readonly MigrationTool[] = [alembic, flaskMigrate, sqlx, numberedSql];

/** The tool of this project, as the project's own configuration has it. */
export function toolOf(project: ToolProject): MigrationTool {
  const tool = toolNamed(project.tool);
  return tool.forProject?.(project) ?? tool;
}

/** A tool by its name. */
export function toolNamed(name: ToolName): MigrationTool {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool named ${name}`);
  return tool;
}
