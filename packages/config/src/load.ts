import { ReplantError } from "@replant/core";
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { importModule } from "@replant/node";
import { loadFailure } from "./load-failure.ts";
import { parseConfig } from "./parse.ts";
import type { ProjectConfig } from "./schema.ts";

const fileNames = ["ts", "mts", "js", "mjs"].map((extension) => `replant.config.${extension}`);

/** A configuration and where it stands. */
export interface LoadedConfig {
  readonly config: ProjectConfig;
  /** Absolute path of the directory of the file: the project's root, which all its paths are relative to. */
  readonly root: string;
  /** Absolute path. */
  readonly file: string;
}

/**
 * Finds, runs and checks the configuration. It is the project's own code: whatever it prints goes where this process prints,
 * so a caller whose stdout is data must redirect that first. A file is run once per process.
 * @param options.cwd absolute; the file is searched there and in every directory above
 * @param options.file named by the person, relative to `cwd`; nothing is searched
 * @throws ReplantError REPLANT_CONFIG_NOT_FOUND | REPLANT_CONFIG_INVALID with file and line, or with every error in it
 */
export async function loadConfig(options: { readonly cwd: string; readonly file?: string }): Promise<LoadedConfig> {
  const file = options.file === undefined ? search(options.cwd) : named(resolve(options.cwd, options.file));
  const root = dirname(file);
  const module = await run(file);
  if (!("default" in module)) {
    throw new ReplantError("REPLANT_CONFIG_INVALID", "the configuration has no default export", {
      where: file,
      state: "nothing was touched",
      hint: "write: export default defineConfig({ ... })",
    });
  }
  return { config: parseConfig(module["default"], file, packageName(root)), root, file };
}

async function run(file: string): Promise<Record<string, unknown>> {
  try {
    return await importModule(file);
  } catch (error) {
    throw loadFailure(file, error);
  }
}

function search(cwd: string): string {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const found = fileNames.map((name) => join(directory, name)).find(isFile);
    if (found !== undefined) return found;
    if (dirname(directory) === directory) break;
  }
  throw new ReplantError("REPLANT_CONFIG_NOT_FOUND", `no replant.config.ts in ${cwd} or above`, {
    state: "nothing was touched",
    hint: "run the command inside the project, or create replant.config.ts in its root",
  });
}

function named(file: string): string {
  if (isFile(file)) return file;
  throw new ReplantError("REPLANT_CONFIG_NOT_FOUND", `${file} is not there`, {
    state: "nothing was touched",
    hint: "name the configuration file, or leave it out to have it searched in this directory and above",
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The name in the package.json beside the configuration, or undefined where none can be read from it. */
function packageName(root: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name?: unknown };
    return typeof name === "string" && /^[\x21-\x7e]+$/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
