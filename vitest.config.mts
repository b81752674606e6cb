import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // Two cores: real servers and real tools, more files at once only make each slower.
    maxWorkers: 2,
    globalSetup: ["test/support/global-setup.ts"],
  },
});
