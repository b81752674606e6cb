/** What `npm run generate` writes, by path from the root. */
export function generatedFiles(): Promise<Record<string, string>>;
