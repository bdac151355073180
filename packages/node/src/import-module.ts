import type { ImportModule } from "@replant/core";
import { pathToFileURL } from "node:url";

/** What Node says of TypeScript that its type stripping cannot run, and of imports that only a bundler resolves. */
const transformable = new Set([
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
  "ERR_MODULE_NOT_FOUND",
  "ERR_UNSUPPORTED_DIR_IMPORT",
  "ERR_UNKNOWN_FILE_EXTENSION",
]);

/**
 * Imports a JavaScript or TypeScript module: by Node itself, because that is fast and its stack traces are right; where Node
 * cannot (enums, decorators, imports without extension, aliases of tsconfig), transformed by jiti. What neither can run fails
 * with the words of the last that tried.
 * @param path absolute
 */
export const importModule: ImportModule = async (path) => {
  const url = pathToFileURL(path).href;
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    if (!isTransformable(error)) throw error;
    const { createJiti } = await import("jiti");
    // No cache on disk: its place may be a directory that others can write to.
    const jiti = createJiti(url, { fsCache: false, interopDefault: false, tsconfigPaths: true });
    return jiti.import<Record<string, unknown>>(path);
  }
};

/** Decorators and imports of types without `type` are plain syntax errors to Node; TypeScript that is wrong has a code. */
function isTransformable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!("code" in error)) return error.name === "SyntaxError";
  return transformable.has(String(error.code));
}
