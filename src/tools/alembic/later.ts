/** Properties that are read from what an object has computed by then. */
export interface Later<Computed extends object, Name extends keyof Computed> {
  readonly properties: PropertyDescriptorMap;
  /** For the types alone. */
  readonly of?: Pick<Computed, Name>;
}

/** Computes at the first call, and no more. */
export function once<T>(compute: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => {
    done ??= { value: compute() };
    return done.value;
  };
}

/** An object that can compute more; what of it is outside is own properties. */
class Computing {
  readonly #compute: () => object;

  constructor(compute: () => object) {
    this.#compute = compute;
  }

  static property(name: PropertyKey): PropertyDescriptor & ThisType<Computing> {
    return {
      enumerable: true,
      get() {
        return Reflect.get(this.#compute(), name);
      },
    };
  }
}

/** Names of what `withLater` computes, for all objects of a kind. */
export function later<Computed extends object, Name extends keyof Computed & string>(
  ...names: readonly Name[]
): Later<Computed, Name> {
  return { properties: Object.fromEntries(names.map((name) => [name, Computing.property(name)])) };
}

/**
 * An object with what is known, and with properties that are computed when one of them is read. A `get` in a literal does the
 * same, and Node makes a shape for each such object: of thousands, they take ten times the time and the memory.
 */
export function withLater<Known extends object, Computed extends object, Name extends keyof Computed>(
  known: Known,
  compute: () => Pick<Computed, Name>,
  { properties }: Later<Computed, Name>,
): Known & Pick<Computed, Name> {
  const made = Object.assign(new Computing(compute), known);
  return Object.defineProperties(made, properties) as unknown as Known & Pick<Computed, Name>;
}
