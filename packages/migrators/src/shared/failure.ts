import type { MigrationFile } from "@replant/core";
import { messageOf, ReplantError, sqlState } from "@replant/core";
import { excerpt } from "./excerpt.ts";
import { locateError } from "./locate.ts";

/**
 * The error for a file that failed on the server: place, excerpt and the server's words. Other failures name the file.
 * @param text what was sent, because the server's positions count in it
 */
export function migrationFailure(
  { file, text }: { readonly file: MigrationFile; readonly text: string },
  error: unknown,
): ReplantError {
  const message = `migration "${file.name}" failed`;
  const why = messageOf(error);
  if (sqlState(error) === undefined) {
    return new ReplantError("REPLANT_MIGRATION_FAILED", message, { where: file.path, why, cause: error });
  }
  const place = locateError(text, error) ?? { line: 1, column: null, sure: true };
  const likely = !place.sure ? "; it gives no position, the statement shown is the likely one" : "";
  return new ReplantError("REPLANT_MIGRATION_FAILED", message, {
    where: `${file.path}:${place.line}`,
    excerpt: excerpt(text, place),
    why: `${why}${likely}`,
    cause: error,
  });
}
