import type { QualifiedName } from "../../../model/operation";

/** What an expression is worth, as far as it is known without running the file. */
export type Value =
  | {
      readonly kind: "constant";
      readonly value: string | number | boolean | null;
      /** Where the text of a string begins in the file, when it stands there letter by letter. */
      readonly offset?: number | undefined;
    }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "dictionary"; readonly entries: ReadonlyMap<string, Value> }
  /** An imported name, dotted: `alembic.op`, `sqlalchemy.Column`. */
  | { readonly kind: "name"; readonly name: string }
  | CallValue
  /** What `with op.batch_alter_table(…) as batch` gives. */
  | { readonly kind: "batch"; readonly call: CallValue }
  | { readonly kind: "unknown" };

export interface CallValue {
  readonly kind: "call";
  /** Dotted: of an imported name, or the method's alone where `receiver` is there. */
  readonly name: string;
  readonly receiver: Value | undefined;
  readonly positional: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
  /** False for `*args` and `**options` of which the content is not known. */
  readonly complete: boolean;
  readonly from: number;
  readonly to: number;
}

export const unknown: Value = { kind: "unknown" };

export function constant(value: string | number | boolean | null): Value {
  return { kind: "constant", value };
}

export function textValue(value: Value | undefined): string | undefined {
  return value?.kind === "constant" && typeof value.value === "string" ? value.value : undefined;
}

export function isNone(value: Value | undefined): boolean {
  return value?.kind === "constant" && value.value === null;
}

/** True and False where the value is known to be one of them, by Python's rules. */
export function truth(value: Value | undefined): boolean | undefined {
  if (value?.kind === "constant") return Boolean(value.value);
  if (value?.kind === "list") return value.items.length > 0;
  return undefined;
}

/** Arguments of a call by the names of its parameters. */
export function given(call: CallValue, parameters: readonly string[]): (name: string) => Value | undefined {
  return (name) => {
    const index = parameters.indexOf(name);
    return call.keywords.get(name) ?? (index < 0 ? undefined : call.positional[index]);
  };
}

/** The last part of a dotted name. */
export function lastName(dotted: string): string {
  return dotted.slice(dotted.lastIndexOf(".") + 1);
}

/** `sa.table("x")`, `sa.Table("x", …)`, and what `op.create_table("x", …)` gives back. */
export function tableOf(value: Value | undefined): QualifiedName | undefined {
  if (value?.kind !== "call" || !/^(?:[tT]able|create_table)$/.test(lastName(value.name))) return undefined;
  const name = textValue(value.positional[0] ?? value.keywords.get("table_name"));
  return name === undefined ? undefined : { schema: textValue(value.keywords.get("schema")), name };
}
