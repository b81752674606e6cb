import { type CallValue, constant, type Value } from "./values";

/** A loop over more than that is followed once, with nothing known. */
export const mostRounds = 500;

/** `range`, `enumerate`, `tuple`, `list`, `str`, `d.items()` of what is known. */
export function builtIn({ name, receiver, positional }: CallValue): Value | undefined {
  const [first] = positional;
  const pair = (...items: Value[]): Value => ({ kind: "list", items });
  if (name === "items" && receiver?.kind === "dictionary") {
    return pair(...[...receiver.entries].map(([key, value]) => pair(constant(key), value)));
  }
  if (name === "range") {
    const numbers = positional.map((value) => (value.kind === "constant" ? Number(value.value) : Number.NaN));
    const [from, to, step] =
      numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
    const count = Math.ceil((to - from) / step);
    if (!(count <= mostRounds)) return undefined;
    return pair(...Array.from({ length: Math.max(0, count) }, (_, index) => constant(from + index * step)));
  }
  if (first?.kind !== "list") return name === "str" && first?.kind === "constant" ? first : undefined;
  if (name === "enumerate") return pair(...first.items.map((item, index) => pair(constant(index), item)));
  return name === "tuple" || name === "list" || name === "sorted" || name === "reversed" ? first : undefined;
}
