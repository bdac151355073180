import { ReplantError } from "@replant/core";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The error for a configuration that could not be run: its own words without credentials, and the line where it failed. */
export function loadFailure(file: string, error: unknown): ReplantError {
  const message = error instanceof Error ? error.message : String(error);
  const missing = missingModule(message);
  const [first = ""] = message.split("\n");
  return new ReplantError("REPLANT_CONFIG_INVALID", `${basename(file)} cannot be loaded`, {
    where: missing === null ? placeOf(error, file) : placeOfImport(missing, file),
    why: withoutCredentials(first.trim() || "it threw nothing that says why"),
    state: "nothing was touched",
    hint:
      missing === null || /^[./]/.test(missing.specifier)
        ? "correct the file and run the command again"
        : `add ${missing.specifier} to the dependencies of the project, or correct the import`,
    cause: error,
  });
}

/** The first place outside of node_modules that the error names, else the file itself. */
function placeOf(error: unknown, file: string): string {
  const text = error instanceof Error ? `${error.stack ?? ""}\n${error.message}` : "";
  for (const line of text.split("\n")) {
    // A frame of a stack; Node's head of a syntax error (`/a.ts:3`); jiti's last words (` /a.ts:3:20`).
    const match = /(?:\(|\bat (?:async )?|^\s*)(file:\/\/[^\s)]+?|\/.+?|[A-Za-z]:[\\/].+?):(\d+)(?::\d+)?\)?\s*$/.exec(
      line,
    );
    const [, location, number] = match ?? [];
    if (location === undefined || /[\\/]node_modules[\\/]/.test(location)) continue;
    return `${location.startsWith("file:") ? fileURLToPath(location.replace(/[?#].*$/, "")) : location}:${number}`;
  }
  return file;
}

interface MissingModule {
  readonly specifier: string;
  readonly importer: string | null;
}

/** What jiti could not find, and in which file it is imported. */
function missingModule(message: string): MissingModule | null {
  const match = /^Cannot find module '([^']+)'(?:\nRequire stack:\n- (.+))?/.exec(message);
  return match?.[1] === undefined ? null : { specifier: match[1], importer: match[2] ?? null };
}

function placeOfImport({ specifier, importer }: MissingModule, file: string): string {
  const where = importer ?? file;
  try {
    const lines = readFileSync(where, "utf8").split("\n");
    const index = lines.findIndex((line) => line.includes(`"${specifier}"`) || line.includes(`'${specifier}'`));
    return index < 0 ? where : `${where}:${index + 1}`;
  } catch {
    return where;
  }
}

function withoutCredentials(text: string): string {
  return text.replaceAll(/\/\/(?!\/)\S*@/g, "//***@").replaceAll(/\p{Cc}/gu, " ");
}
