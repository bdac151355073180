import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Every package and app with a test folder is one project, and so is scripts; `vitest --project core` runs just that one. */
const roots = [
  ...["packages", "apps"].flatMap((group) =>
    readdirSync(group).map((name) => ({ name, root: join(import.meta.dirname, group, name) })),
  ),
  { name: "scripts", root: join(import.meta.dirname, "scripts") },
];

// Real servers and child processes on two cores: generous limits, no timed assertions.
const limits = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // Most tests wait for servers and child processes; vitest's own choice is one worker less than there are cores.
    maxWorkers: availableParallelism() + 1,
    globalSetup: [join(import.meta.dirname, "packages/testkit/src/global-setup.ts")],
    // Not `extends: true`: each project would run the global setup again, with servers of its own.
    projects: roots
      .filter(({ root }) => existsSync(join(root, "test")))
      .map(({ name, root }) => ({ test: { name, root, ...limits } })),
  },
});
