import type { Files } from "@replant/core";
import { statSync, realpathSync } from "node:fs";
import { createRequire, findPackageJSON, isBuiltin } from "node:module";
import { dirname, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** What modules consist of, as far as it can change with the project. */
export interface Dependencies {
  /** Absolute paths of local files, the modules' own among them. */
  readonly files: ReadonlySet<string>;
  /** package.json of the installed packages that are imported, by specifier: the version stands for their files. */
  readonly packages: ReadonlyMap<string, string>;
}

const quoted = String.raw`(["'])((?:(?!\1)[^\\\n])+)\1`;
/** `import … from "x"` and `export … from "x"` begin a statement: SQL in a string has a FROM too. */
const specifierPatterns = [
  new RegExp(String.raw`(?:^|;)\s*(?:import|export)\b[\w\s{},*$]*?\bfrom\s*${quoted}`, "gm"),
  new RegExp(String.raw`(?:^|;)\s*import\s*${quoted}`, "gm"),
  new RegExp(String.raw`\b(?:import|require)\s*\(\s*${quoted}`, "g"),
  new RegExp(String.raw`\bnew\s+URL\s*\(\s*${quoted}\s*,\s*import\.meta\.url`, "g"),
];
const script = /\.[cm]?[jt]sx?$/;

/**
 * Follows the imports of modules by reading, without running anything; workspace packages are followed like local files. An
 * import whose name is computed cannot be seen. This package is left out: what it does to the rows is a version of its own.
 * @param entries absolute paths
 */
export async function dependenciesOf(entries: readonly string[], files: Files): Promise<Dependencies> {
  const found = { files: new Set<string>(), packages: new Map<string, string>() };
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.files.has(path)) continue;
    found.files.add(path);
    if (!script.test(path)) continue;
    const bytes = await files.read(path);
    for (const specifier of specifiersIn(bytes === null ? "" : new TextDecoder().decode(bytes))) {
      const target = await targetOf(specifier, path);
      if (target === null || target.startsWith(import.meta.dirname + sep)) continue;
      const manifest = isInstalled(target) ? findPackageJSON(specifier, pathToFileURL(path)) : undefined;
      if (manifest !== undefined) found.packages.set(specifier, manifest);
      else if (!isInstalled(target)) queue.push(target);
    }
  }
  return found;
}

function specifiersIn(text: string): string[] {
  return specifierPatterns
    .flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[2] ?? ""))
    .filter((specifier) => !isBuiltin(specifier));
}

/** The file that a specifier means; null where nothing can be found, so that importing it fails too. */
async function targetOf(specifier: string, from: string): Promise<string | null> {
  if (/^\.{0,2}\//.test(specifier)) {
    const path = resolve(dirname(from), specifier);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return realpathSync(path);
  } else {
    try {
      return createRequire(from).resolve(specifier);
    } catch {
      // Not there for `require`: a package for `import` alone, or an alias of tsconfig.
    }
  }
  // What Node does not find, the loader that takes over from it does: no extension, `.js` for a `.ts` file, an alias.
  const { createJiti } = await import("jiti");
  const url = createJiti(pathToFileURL(from).href, { tsconfigPaths: true }).esmResolve(specifier, { try: true });
  return url?.startsWith("file:") === true ? realpathSync(fileURLToPath(url)) : null;
}

function isInstalled(path: string): boolean {
  return path.split(sep).includes("node_modules");
}
