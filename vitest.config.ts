import { readdirSync, existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Every package and app with a test folder is one project, so that `vitest --project core` runs just that. */
const roots = ["packages", "apps"].flatMap((group) =>
  readdirSync(group).map((name) => ({ name, root: `${group}/${name}` })),
);

export default defineConfig({
  test: {
    globalSetup: ["packages/testkit/src/global-setup.ts"],
    // Real servers and child processes on two cores: generous limits, no timed assertions.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: roots
      .filter(({ root }) => existsSync(`${root}/test`))
      .map(({ name, root }) => ({ extends: true as const, test: { name, root } })),
  },
});
