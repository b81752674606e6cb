import { banDropColumn } from "./ban-drop-column";
import { banDropTable } from "./ban-drop-table";
import { banRenameColumn } from "./ban-rename-column";
import { banRenameTable } from "./ban-rename-table";
import { banTableRewrite } from "./ban-table-rewrite";
import { requireBatchedBackfill } from "./require-batched-backfill";
import { requireCheckBeforeNotNull } from "./require-check-before-not-null";
import { requireColumnDefault } from "./require-column-default";
import { requireConcurrentDetach } from "./require-concurrent-detach";
import { requireConcurrentIndexCreation } from "./require-concurrent-index-creation";
import { requireConcurrentIndexDeletion } from "./require-concurrent-index-deletion";
import { requireConcurrentRefresh } from "./require-concurrent-refresh";
import { requireConstraintUsingIndex } from "./require-constraint-using-index";
import { requireDowngrade } from "./require-downgrade";
import { requireNotValidConstraint } from "./require-not-valid-constraint";
import type { Rule } from "./rule";

/** Every lint rule by its id, which never changes and is the name of its file. */
export const rules = {
  "ban-drop-column": banDropColumn,
  "ban-drop-table": banDropTable,
  "ban-rename-column": banRenameColumn,
  "ban-rename-table": banRenameTable,
  "ban-table-rewrite": banTableRewrite,
  "require-batched-backfill": requireBatchedBackfill,
  "require-check-before-not-null": requireCheckBeforeNotNull,
  "require-column-default": requireColumnDefault,
  "require-concurrent-detach": requireConcurrentDetach,
  "require-concurrent-index-creation": requireConcurrentIndexCreation,
  "require-concurrent-index-deletion": requireConcurrentIndexDeletion,
  "require-concurrent-refresh": requireConcurrentRefresh,
  "require-constraint-using-index": requireConstraintUsingIndex,
  "require-downgrade": requireDowngrade,
  "require-not-valid-constraint": requireNotValidConstraint,
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof rules;
