import { defineConfig } from "vitest/config";

// npm run test:containers: needs root, dockerd and debootstrap, so it is no part of npm test.
export default defineConfig({
  test: {
    include: ["test/containers/**/*.containers.ts"],
    testTimeout: 300_000,
    hookTimeout: 900_000,
    globalSetup: ["test/support/global-setup.ts"],
    // Both files fill one cache, and take all that two cores have.
    fileParallelism: false,
  },
});
