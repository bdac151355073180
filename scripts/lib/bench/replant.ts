import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "./measure.ts";
import { benchDirectory, builtDirectory, repository } from "./paths.ts";
import { writeProject } from "./project.ts";

/** Replant in one of its forms, with a project of its own. */
export interface Replant {
  /** `replant (source)` */
  readonly name: string;
  readonly project: string;
  program(args: readonly string[], env?: Readonly<Record<string, string>>): Program;
}

/** What is not there, and how to get it. */
export interface Missing {
  readonly name: string;
  readonly remedy: string;
}

const setup = "pnpm bench:setup";

/**
 * Replant as it runs in this repository, and as it is published where that has been installed. Writes their projects anew: no
 * baseline, no backup, no embedded database is left of an earlier bench.
 */
export async function prepareReplants(): Promise<{ replants: Replant[]; missing: Missing[] }> {
  const source = replant("source", join(repository, "apps/cli/src/bin.mjs"), join(benchDirectory, "project"));
  await writeProject(source.project, "source");
  const entry = join(builtDirectory, "node_modules/@replant/cli/dist/bin.js");
  if (!existsSync(entry)) return { replants: [source], missing: [{ name: "replant (built)", remedy: setup }] };
  const built = replant("built", entry, join(builtDirectory, "project"));
  await writeProject(built.project, "installed");
  const stale = newestSource() > statSync(join(builtDirectory, "package.json")).mtimeMs;
  const missing = stale ? [{ name: "the sources as they are now: replant (built) is older", remedy: setup }] : [];
  return { replants: [source, built], missing };
}

function replant(form: string, entry: string, project: string): Replant {
  return {
    name: `replant (${form})`,
    project,
    program: (args, env = {}) => ({ entry, args, cwd: project, env }),
  };
}

/** Prisma's CLI of the peers; null where they are not installed. */
export function prismaEntry(): string | null {
  const entry = join(benchDirectory, "node_modules/prisma/build/index.js");
  return existsSync(entry) ? entry : null;
}

export const prismaMissing: Missing = { name: "prisma 6.19", remedy: setup };

function newestSource(): number {
  const files = globSync("{packages,apps}/*/src/**/*.ts", { cwd: repository });
  return Math.max(...files.map((file) => statSync(join(repository, file)).mtimeMs));
}
