import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inject, onTestFinished } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The directory of this run's temporary directories; removed when the run ends. */
    readonly tempRoot: string;
  }
}

/**
 * An empty directory, by its real path. It is removed after the test, or after the run when no test is under way or when it is
 * `lasting`.
 */
export async function tempDir({ lasting = false } = {}): Promise<string> {
  const directory = await realpath(await mkdtemp(join(inject("tempRoot"), "t-")));
  if (lasting) return directory;
  try {
    onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  } catch {
    // Called from a hook such as beforeAll, where vitest has no test to wait for.
  }
  return directory;
}

/** What the tests of a run share as a person's programs share `~/.cache`: the empty embedded database is made once, code compiled once. */
export function cacheHome(): string {
  return join(inject("tempRoot"), "cache");
}

/** Where in it the embedded engine looks for the empty database. */
export function imageDirectory(): string {
  return join(cacheHome(), "replant");
}

/** Writes files below `directory`, with the directories they need: `{"migrations/1.sql": "create table …"}`. */
export async function writeTree(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
