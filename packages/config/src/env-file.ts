/** One variable of an env file. */
export interface EnvEntry {
  readonly value: string;
  /** Of the assignment that counts, from 1. */
  readonly line: number;
}

// Blanks are white space but line ends; a byte order mark is one of them.
const assignment =
  /^[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*=[^\S\n]*(?:"([^"]*)"|'([^']*)'|`([^`]*)`|([^\n#]*))/gm;

/**
 * Reads an env file as `node:util.parseEnv` does (quotes of three kinds, values of several lines, `export`, comments, the last
 * of two assignments counts), and tells the line of each variable. Unlike it, a blank after an empty value does not swallow
 * the next line. References in values are left as they are, see `expand`.
 */
export function parseEnvFile(text: string): Map<string, EnvEntry> {
  const entries = new Map<string, EnvEntry>();
  const source = text.replaceAll("\r\n", "\n");
  for (const match of source.matchAll(assignment)) {
    const [, name = "", double, single, backtick, plain = ""] = match;
    const value = double?.replaceAll(String.raw`\n`, "\n") ?? single ?? backtick ?? plain.trim();
    entries.set(name, { value, line: source.slice(0, match.index).split("\n").length });
  }
  return entries;
}

/** A value with its references replaced, and the names of those that nothing gives. */
export interface Expanded {
  readonly value: string;
  readonly missing: readonly string[];
}

/** Where references are looked up: first in `environment`, whose values are final, then in the file's own variables. */
export interface Scope {
  readonly environment: (name: string) => string | undefined;
  readonly file: ReadonlyMap<string, EnvEntry>;
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` as Prisma and Next.js do, in quotes of any kind. `\${` stays as `${`. A reference
 * that leads back to itself counts as missing.
 * @param trail names that are being replaced already
 */
export function expand(value: string, scope: Scope, trail: readonly string[] = []): Expanded {
  const missing: string[] = [];
  const resolve = (name: string): string | undefined => {
    const given = scope.environment(name);
    if (given !== undefined || trail.includes(name)) return given;
    const own = scope.file.get(name);
    if (own === undefined) return undefined;
    const inner = expand(own.value, scope, [...trail, name]);
    missing.push(...inner.missing);
    return inner.value;
  };
  const expanded = value.replaceAll(
    /(\\?)\$\{([A-Za-z_]\w*)(?::?-([^}]*))?\}/g,
    (reference: string, escape: string, name: string, fallback: string | undefined) => {
      if (escape !== "") return reference.slice(1);
      const found = resolve(name);
      if (found === undefined && fallback === undefined) missing.push(name);
      return found === undefined || found === "" ? (fallback ?? "") : found;
    },
  );
  return { value: expanded, missing };
}
