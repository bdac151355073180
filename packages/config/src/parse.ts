import { ReplantError } from "@replant/core";
import { basename, dirname } from "node:path";
import * as v from "valibot";
import { pathText } from "./combinators.ts";
import { configSchema, type ProjectConfig } from "./schema.ts";

/**
 * Checks what a configuration file exports and fills in every default. Says everything that is wrong at once, with the path of
 * each (`keep.users.onConflict`), and never shows a value: one may be a secret.
 * @param raw the default export
 * @param file path of the file, for messages
 * @param defaultName the project's name where the configuration has none; without it the name of the file's directory
 * @throws ReplantError REPLANT_CONFIG_INVALID
 */
export function parseConfig(raw: unknown, file: string, defaultName = basename(dirname(file))): ProjectConfig {
  const result = v.safeParse(configSchema, raw);
  if (result.success) return { ...result.output, project: result.output.project ?? defaultName };
  const items = result.issues.map(({ path, message }) => `${pathText(path) || "the default export"} ${message}`);
  throw new ReplantError(
    "REPLANT_CONFIG_INVALID",
    `${basename(file)} has ${items.length === 1 ? "one error" : `${items.length} errors`}`,
    { where: file, items, state: "nothing was touched", hint: "correct the file and run the command again" },
  );
}
