import { addColumn, alterDefault, alterType, commentColumn, dropColumn, setNotNull } from "./columns";
import { addCheck, addForeignKey, addUnique } from "./constraints";
import { addEnumValue, createEnum } from "./enums";
import { createIndex, replaceIndex } from "./indexes";
import {
  alterSequence,
  createFunction,
  createSequence,
  createView,
  replaceFunction,
  replaceView,
} from "./named";
import type { GeneratedOperation } from "./operation";
import type { SchemaState } from "./schema-state";
import { commentTable, createPolicy, createTable, createTrigger, insertRows } from "./tables";

/** Undefined where the schema has nothing yet to do it with. */
type Maker = (schema: SchemaState) => GeneratedOperation | undefined;

/** What is named twice comes twice as often. */
const makers: readonly Maker[] = [
  createTable,
  addColumn,
  addColumn,
  dropColumn,
  alterType,
  alterDefault,
  setNotNull,
  commentColumn,
  commentTable,
  createIndex,
  createIndex,
  replaceIndex,
  addUnique,
  addCheck,
  addForeignKey,
  createEnum,
  addEnumValue,
  createView,
  replaceView,
  createFunction,
  replaceFunction,
  createTrigger,
  createSequence,
  alterSequence,
  createPolicy,
  insertRows,
];

/** An operation that is possible now. */
export function generateOperation(schema: SchemaState): GeneratedOperation {
  if (schema.tables.length < 2) return createTable(schema);
  for (;;) {
    const operation = schema.random.pick(makers)(schema);
    if (operation !== undefined) return operation;
  }
}
