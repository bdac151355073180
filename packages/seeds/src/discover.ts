import type { ImportModule } from "@replant/core";
import { isReplantError, messageOf, ReplantError } from "@replant/core";
import { glob } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { isSeed, type Seed } from "./define.ts";
import type { FileSeed } from "./project-seeds.ts";
import { framesOf, syntaxErrorFrame } from "./stack.ts";

/**
 * Imports every script that the patterns match and takes what `defineSeed` made, by path and then by line. A seed that a
 * second file exports again is the same seed.
 * @param root absolute; patterns and messages are relative to it
 * @throws ReplantError REPLANT_SEED_INVALID naming a file that cannot be imported, or that exports no seed
 */
export async function discoverSeeds({
  root,
  patterns,
  importModule,
}: {
  root: string;
  patterns: readonly string[];
  importModule: ImportModule;
}): Promise<FileSeed[]> {
  const found = new Map<Seed, FileSeed>();
  for (const path of (await matches(root, patterns)).filter(isScript)) {
    const file = join(root, path);
    const seeds = Object.values(await load({ root, path, importModule })).filter(isSeed);
    if (seeds.length === 0) {
      throw new ReplantError("REPLANT_SEED_INVALID", "a seed file exports no seed", {
        where: path,
        hint: "export what defineSeed returns, or narrow the pattern so that it leaves out helper files",
      });
    }
    seeds.sort((a, b) => (a.site?.line ?? 0) - (b.site?.line ?? 0));
    for (const seed of seeds) if (!found.has(seed)) found.set(seed, fileSeed(root, file, seed));
  }
  return [...found.values()];
}

/** Files that the patterns match, relative to `root`, with `/`, sorted; nothing inside node_modules. */
export async function matches(root: string, patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for await (const entry of glob([...patterns], { cwd: root, exclude: ["**/node_modules/**"], withFileTypes: true })) {
    if (entry.isFile()) found.add(slashed(relative(root, join(entry.parentPath, entry.name))));
  }
  return [...found].sort();
}

/** A path as messages show it. */
export function slashed(path: string): string {
  return path.replaceAll(sep, "/");
}

function isScript(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path) && !/\.d\.[cm]?ts$/.test(path);
}

async function load({
  root,
  path,
  importModule,
}: {
  root: string;
  path: string;
  importModule: ImportModule;
}): Promise<Record<string, unknown>> {
  const file = join(root, path);
  try {
    return await importModule(file);
  } catch (error) {
    const frame =
      syntaxErrorFrame(error) ?? framesOf(error instanceof Error ? error.stack : "").find((at) => at.file === file);
    const where = frame === undefined ? path : `${slashed(relative(root, frame.file))}:${frame.line}`;
    const own = isReplantError(error) ? error.details : {};
    throw new ReplantError("REPLANT_SEED_INVALID", "a seed file cannot be imported", {
      // Loaders add the stack of imports, and pictures of the code.
      why: messageOf(error).split("\n", 1).join("").trim(),
      ...own,
      where,
      cause: error,
    });
  }
}

function fileSeed(root: string, file: string, seed: Seed): FileSeed {
  const { name, set, dependsOn, description, site } = seed;
  const where = `${slashed(relative(root, site?.file ?? file))}:${site?.line ?? 1}`;
  return { kind: "file", file, seed, name, set, dependsOn, description, where };
}
