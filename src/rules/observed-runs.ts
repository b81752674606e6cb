import type { Observed } from "./observed";

/** Made by `npm run observe`: what PostgreSQL did with the examples; test/rules/examples.test.ts holds it. */
export const observed: Readonly<Record<string, Observed>> = {};
