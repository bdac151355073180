import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNode } from "@replant/testkit";

const packageRoot = fileURLToPath(new URL("..", import.meta.url));
const entry = fileURLToPath(import.meta.resolve("prisma/build/index.js"));

export interface PrismaCliOptions {
  /** DATABASE_URL; nothing for commands that need no database. */
  readonly url?: string;
  /**
   * A directory with its own prisma.config.ts (a default-exported object will do, it need not import Prisma);
   * the reference workspace unless given.
   */
  readonly cwd?: string;
}

export interface PrismaCliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs Prisma's own, unchanged CLI (1 to 2 seconds): for tests the judge that shares no code with Replant.
 * `await prismaCli(["migrate", "status"], { url })`. Never throws for how it ended.
 */
export async function prismaCli(args: readonly string[], options: PrismaCliOptions = {}): Promise<PrismaCliResult> {
  const { code, stdout, stderr } = await runNode(entry, args, {
    cwd: options.cwd ?? packageRoot,
    env: {
      // The engine's first line finds its Node there.
      PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
      DATABASE_URL: options.url,
      NO_COLOR: "1",
      // No questions to a server about updates.
      CHECKPOINT_DISABLE: "1",
      // The reference workspace's own configuration says where its engine is.
      ...(options.cwd === undefined
        ? {}
        : { PRISMA_SCHEMA_ENGINE_BINARY: join(packageRoot, "prisma", "engine", "shim.ts") }),
    },
  });
  return { code, stdout, stderr };
}
