/**
 * Works on seeds in plain Node, where imports are Node's own and not those of the test runner. Takes one JSON argument, a
 * list of jobs, and prints a list of what became of each.
 */
import { join } from "node:path";
import { isReplantError } from "@replant/core";
import { importModule, nodeFiles } from "@replant/node";
import { openEmbedded } from "@replant/postgres/embedded";
import { createSeeder } from "../src/index.ts";

export interface Job {
  readonly root: string;
  readonly patterns: readonly string[];
  readonly method: "list" | "fingerprint" | "run";
  /** For `run`: where the embedded engine keeps its empty directory. */
  readonly cache?: string;
}

export type Outcome =
  | { readonly value: unknown }
  | { readonly code: string; readonly message: string; readonly details: Readonly<Record<string, unknown>> };

const all = { sets: null, only: null };

async function work({ root, patterns, method, cache = "" }: Job): Promise<unknown> {
  const files = nodeFiles();
  const seeder = createSeeder({ root, patterns, sets: ["system"], files, importModule });
  if (method === "list") return seeder.list();
  if (method === "fingerprint") return seeder.fingerprint(all);
  const engine = openEmbedded({ directory: join(root, ".database"), name: "app", files, cacheDirectory: cache });
  try {
    const made = { role: "candidate", run: "20261121T101500000Z-0000", fingerprint: null } as const;
    const session = await engine.connect(await engine.create({ ...made, createdAt: new Date().toISOString() }));
    return await seeder.run(session, all, { mustWrite: true, onSeed: () => undefined });
  } finally {
    await engine.close();
  }
}

const outcomes: Outcome[] = [];
for (const job of JSON.parse(process.argv[2] ?? "[]") as Job[]) {
  try {
    outcomes.push({ value: await work(job) });
  } catch (error) {
    if (!isReplantError(error)) throw error;
    const { cause: _, ...details } = error.details;
    outcomes.push({ code: error.code, message: error.message, details });
  }
}
console.log(JSON.stringify(outcomes));
