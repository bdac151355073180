import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { killGroup, type RunningNode, startNode } from "@replant/testkit";
import type { ClerkEmulator } from "@replant/testkit/clerk";
import { onTestFinished } from "vitest";

const entry = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface Program extends RunningNode {
  readonly url: string;
}

/** Starts the program itself; rejects with what it said when it ends before it listens. */
export async function startProgram(clerk: ClerkEmulator, databaseUrl: string): Promise<Program> {
  const running = runProgram({ ...environment(clerk, databaseUrl), PORT: "0" });
  while (running.child.exitCode === null) {
    const [, url] = /listens on (\S+)\n/.exec(running.seen().stdout) ?? [];
    if (url !== undefined) return { ...running, url };
    await sleep(10);
  }
  throw new Error((await running.done).stderr);
}

export function environment(clerk: ClerkEmulator, databaseUrl: string) {
  return {
    DATABASE_URL: databaseUrl,
    CLERK_JWT_KEY: clerk.jwtKey,
    CLERK_WEBHOOK_SIGNING_SECRET: clerk.deliveries.secret,
  };
}

/** It does not outlive the test. */
export function runProgram(env: Readonly<Record<string, string>>): RunningNode {
  const running = startNode(entry, [], { cwd: fileURLToPath(new URL("..", import.meta.url)), env, timeoutMs: 300_000 });
  onTestFinished(() => killGroup(running.child));
  return running;
}
