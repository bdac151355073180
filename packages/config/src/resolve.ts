import { ReplantError } from "@replant/core";
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import { type Address, type AddressOrigin, readAddress } from "./address.ts";
import { type EnvEntry, expand, parseEnvFile } from "./env-file.ts";
import type { ProjectConfig } from "./schema.ts";
import { productionSigns, type ProductionSigns } from "./signals.ts";

interface Found {
  /** Where the address came from, for people: `DATABASE_URL of the shell`, `packages/database/.env:3`. */
  readonly source: string;
  /** Another place that names a local database, when the one that counts names something else: probably what was meant. */
  readonly alternative: { readonly source: string; readonly location: string } | null;
  /** What the env files say about production. */
  readonly signs: ProductionSigns;
}

/** The database that commands work on. */
export type ResolvedDatabase =
  /** `url` is a secret. */
  | (Found & { readonly kind: "server"; readonly url: string; readonly address: Address })
  /** `directory` is absolute. */
  | (Found & { readonly kind: "embedded"; readonly name: string; readonly directory: string });

export type Environment = Readonly<Record<string, string | undefined>>;

interface EnvFile {
  /** As the configuration writes it, with `/`. */
  readonly path: string;
  readonly entries: ReadonlyMap<string, EnvEntry>;
}

/** A URL in one place, its references not yet replaced. */
interface Candidate {
  readonly source: string;
  /** @throws ReplantError REPLANT_URL_INVALID naming the references that nothing gives */
  readonly read: () => string;
}

/**
 * Finds the database: the URL variable in `env`, else in the env files of the configuration, else the embedded database.
 * Reads files; changes and connects to nothing.
 * @param options.root absolute path of the project
 * @throws ReplantError REPLANT_ENV_STRIPPED when turbo has taken the variable away | REPLANT_URL_INVALID |
 * REPLANT_ENGINE_UNSUPPORTED | REPLANT_CONFIG_INVALID for an env file that cannot be read
 */
export async function resolveDatabase(options: {
  readonly config: ProjectConfig;
  readonly root: string;
  readonly env: Environment;
}): Promise<ResolvedDatabase> {
  const { config, root, env } = options;
  const { urlVariable: name, engine } = config.database;
  const files = await readEnvFiles(root, config.database.envFiles);
  const signs = fileSigns(files, env);
  const embedded = (source: string): ResolvedDatabase => ({
    kind: "embedded",
    name: config.database.name,
    directory: embeddedDirectory(options),
    source,
    alternative: null,
    signs,
  });
  if (engine === "embedded") return embedded('database.engine is "embedded"');
  const [chosen, ...others] = candidates({ name, files, env });
  if (chosen === undefined) {
    assertEmbeddedMeant(options);
    return embedded(`no ${name} found, using embedded`);
  }
  const { source } = chosen;
  const url = chosen.read();
  const address = readAddress(url, originOf(env, { name, source }));
  return {
    kind: "server",
    url,
    address,
    source,
    alternative: alternativeOf(others, { name, address, env }),
    signs,
  };
}

async function readEnvFiles(root: string, paths: readonly string[]): Promise<EnvFile[]> {
  const files: EnvFile[] = [];
  for (const path of paths) {
    try {
      files.push({ path, entries: parseEnvFile(await readFile(resolve(root, path), "utf8")) });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      if (code === "ENOENT" || code === "ENOTDIR") continue;
      throw new ReplantError("REPLANT_CONFIG_INVALID", `env file ${path} cannot be read`, {
        where: path,
        why: code,
        state: "nothing was touched",
        hint: "correct the file or its mode, or name others in database.envFiles",
        cause: error,
      });
    }
  }
  return files;
}

function candidates({ name, files, env }: { name: string; files: readonly EnvFile[]; env: Environment }): Candidate[] {
  const given = valueOf(env, name);
  const shell = given === undefined ? [] : [{ source: `${name} of the shell`, read: () => given }];
  const found = files.flatMap(({ path, entries }): Candidate[] => {
    const entry = entries.get(name);
    if (entry === undefined || entry.value.trim() === "") return [];
    const source = `${path}:${entry.line}`;
    const scope = { environment: (reference: string) => valueOf(env, reference), file: entries };
    return [
      {
        source,
        read: () => {
          const { value, missing } = expand(entry.value.trim(), scope, [name]);
          if (missing.length > 0) throw unresolved({ name, source, missing, env });
          return value;
        },
      },
    ];
  });
  return [...shell, ...found];
}

function originOf(env: Environment, found: { name: string; source: string }): AddressOrigin {
  return { ...found, defaults: { host: valueOf(env, "PGHOST"), port: valueOf(env, "PGPORT") } };
}

/** A secret or an address of the identity provider, and where it was found. */
export interface ResolvedVariable {
  readonly value: string;
  readonly source: string;
}

/**
 * Finds variables that the configuration names: in `env`, else in the env files of the database, else in the `.env.local` beside
 * one of those, where frameworks keep keys. Null: nothing gives it.
 */
export async function resolveVariables(
  names: readonly string[],
  { config, root, env }: { readonly config: ProjectConfig; readonly root: string; readonly env: Environment },
): Promise<(ResolvedVariable | null)[]> {
  const { envFiles } = config.database;
  const beside = envFiles.map((path) => posix.join(posix.dirname(path), ".env.local"));
  const files = await readEnvFiles(root, [...new Set([...envFiles, ...beside])]);
  return names.map((name) => {
    const [found] = candidates({ name, files, env });
    return found === undefined ? null : { value: found.read(), source: found.source };
  });
}

/** A variable that says something, trimmed; own keys only. */
function valueOf(env: Environment, name: string): string | undefined {
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined;
  return value === "" ? undefined : value;
}

function unresolved(options: {
  name: string;
  source: string;
  missing: readonly string[];
  env: Environment;
}): ReplantError {
  const { name, source, missing, env } = options;
  const names = [...new Set(missing)].map((reference) => `\${${reference}}`).join(", ");
  return new ReplantError("REPLANT_URL_INVALID", `${name} refers to ${names}, which nothing sets`, {
    where: source,
    ...(isTurbo(env)
      ? { why: "turbo strict mode is active (TURBO_HASH present): only variables in passThroughEnv arrive" }
      : {}),
    state: "nothing was touched",
    hint: `set it in the environment or in the same file, or write ${name} in full`,
  });
}

function alternativeOf(
  others: readonly Candidate[],
  { name, address: chosen, env }: { name: string; address: Address; env: Environment },
): Found["alternative"] {
  for (const { source, read } of others) {
    try {
      const { local, location, database } = readAddress(read(), originOf(env, { name, source }));
      if (local && (location !== chosen.location || database !== chosen.database))
        return { source, location: `${location}/${encodeURI(database)}` };
    } catch {
      // Only a remark: what does not count need not be readable.
    }
  }
  return null;
}

function fileSigns(files: readonly EnvFile[], env: Environment): ProductionSigns {
  return productionSigns(
    files.flatMap(({ path, entries }) =>
      [...entries]
        .filter(([name]) => valueOf(env, name) === undefined)
        .map(([name, { value, line }]) => [name, value, `${path}:${line}`] as const),
    ),
  );
}

/** Without a URL the embedded database is meant, unless the URL may only have been lost on the way. */
function assertEmbeddedMeant(options: {
  readonly config: ProjectConfig;
  readonly root: string;
  readonly env: Environment;
}): void {
  const { config, env } = options;
  const { urlVariable: name, engine, envFiles } = config.database;
  if (isTurbo(env) && (engine === "server" || !isDirectory(embeddedDirectory(options)))) {
    const task = valueOf(env, "npm_lifecycle_event") ?? "";
    throw new ReplantError(
      "REPLANT_ENV_STRIPPED",
      `${name} is not set here, but turbo strict mode is active (TURBO_HASH present)`,
      {
        why: "turbo passes only the variables that a task names",
        state: "nothing was touched",
        hint: `turbo.json: tasks["${/^[\w:.-]+$/.test(task) ? task : "<task>"}"].passThroughEnv += ["${name}"]`,
      },
    );
  }
  if (engine === "server") {
    throw new ReplantError("REPLANT_URL_INVALID", `${name} is not set, and database.engine is "server"`, {
      why: `neither the environment nor ${envFiles.join(", ") || "any env file"} gives it`,
      state: "nothing was touched",
      hint: `set ${name} to a postgres:// URL, or leave database.engine out to use the embedded database`,
    });
  }
}

/** turbo sets it in every task. */
function isTurbo(env: Environment): boolean {
  return valueOf(env, "TURBO_HASH") !== undefined;
}

function embeddedDirectory({ config, root }: { readonly config: ProjectConfig; readonly root: string }): string {
  return join(root, ".replant", "pg", config.database.name);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
