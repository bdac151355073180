import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Every package and app with a test folder is one project, and so is scripts; `vitest --project core` runs just that one. */
const roots = [
  ...["packages", "apps"].flatMap((group) =>
    readdirSync(group).map((name) => ({ name, root: join(import.meta.dirname, group, name) })),
  ),
  { name: "scripts", root: join(import.meta.dirname, "scripts") },
];

// Real servers and child processes on two cores: generous limits, no timed assertions.
const limits = { testTimeout: 120_000, hookTimeout: 120_000 };

/** The files that take longest begin first, so that a run does not end with one of them on one core. */
const longest = [
  "apps/e2e/test/crash.test.ts",
  "apps/e2e/test/failure.test.ts",
  "apps/e2e/test/reset.test.ts",
  "apps/e2e/test/newcomer.test.ts",
  "apps/api/test/reset.test.ts",
  "packages/postgres/test/properties/evolution-server.test.ts",
  "packages/postgres/test/properties/server-first.test.ts",
  "packages/postgres/test/properties/server-second.test.ts",
  "packages/postgres/test/shared/carry.test.ts",
  "packages/postgres/test/shared/carry-embedded.test.ts",
  "packages/postgres/test/server/swap.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((path) => moduleId.endsWith(path));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    globalSetup: [join(import.meta.dirname, "packages/testkit/src/global-setup.ts")],
    // Most tests wait for servers and child processes; vitest's own choice is one worker less than there are cores.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    // Not `extends: true`: each project would run the global setup again, with servers of its own.
    projects: roots
      .filter(({ root }) => existsSync(join(root, "test")))
      .map(({ name, root }) => ({ test: { name, root, ...limits } })),
  },
});
