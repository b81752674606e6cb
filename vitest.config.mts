import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Some wait for their turn at a server, which counts as their own time.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Two cores: real servers and real tools, more files at once only make each slower.
    maxWorkers: 2,
    globalSetup: ["test/support/global-setup.ts"],
  },
});
