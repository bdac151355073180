import type { ProjectConfig, ResolvedDatabase } from "@replant/config";
import { loadConfig, resolveDatabase } from "@replant/config";
import type { Emit, Engine, Files, Identities, KeepRules, Migrator, Ports, Project } from "@replant/core";
import { tableLabel } from "@replant/core";
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Environment } from "./interaction.ts";

/** A project whose configuration was read and whose database was found; nothing is connected yet. */
export interface LoadedProject {
  /** Absolute path of the directory of replant.config.ts. */
  readonly root: string;
  readonly config: ProjectConfig;
  readonly resolved: ResolvedDatabase;
  /** Absolute; what all projects of this machine share and any of them can make again. */
  readonly machineCache: string;
}

/** Everything that core's commands take. The caller ends it with `close`. */
export interface OpenProject extends LoadedProject {
  readonly ports: Ports;
  readonly project: Project;
  /** Ends connections. May be called twice. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Absolute; replant.config.ts is searched here and above. */
  readonly cwd: string;
  readonly env: Environment;
  /** `replant 0.1.0`, recorded in backups. Default: `replant`. */
  readonly tool?: string;
  /** Hears what a run does. Default: nobody does. */
  readonly emit?: Emit;
  /** True for a process that serves for hours: it may warm up, where a command wants to be over. */
  readonly longLived?: boolean;
  /** Ends a run. Default: nothing does. */
  readonly signal?: AbortSignal;
}

/** Where state of a project lies: journal, baselines' catalogs, the embedded database. Ignored by git. */
export const stateDirectory = ".replant";

/**
 * Reads the configuration and finds the database; connects to nothing.
 * @throws ReplantError REPLANT_CONFIG_NOT_FOUND | REPLANT_CONFIG_INVALID | REPLANT_ENV_STRIPPED | REPLANT_URL_INVALID |
 * REPLANT_ENGINE_UNSUPPORTED
 */
export async function loadProject({ cwd, env }: Pick<OpenOptions, "cwd" | "env">): Promise<LoadedProject> {
  const { config, root } = await loadConfig({ cwd });
  const machineCache = join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "replant");
  return { root, config, resolved: await resolveDatabase({ config, root, env }), machineCache };
}

/**
 * The composition root: what the configuration names, joined to the ports that core runs on. A script that calls this can do
 * all that the command does, with the functions of `@replant/core`. Ask the guard first: this does not.
 */
export async function openProject(options: OpenOptions): Promise<OpenProject> {
  return connectProject(await loadProject(options), options);
}

/** The second half of `openProject`. */
export async function connectProject(loaded: LoadedProject, options: Omit<OpenOptions, "cwd">): Promise<OpenProject> {
  const { root, config, resolved, machineCache } = loaded;
  const { nodeFiles, openCatalogs, openJournal, projectId, systemClock } = await import("@replant/node");
  const files = nodeFiles();
  const directory = join(root, stateDirectory);
  const signal = options.signal ?? new AbortController().signal;
  const [engine, rows, migrator, seeder, store] = await Promise.all([
    openEngine(loaded, files, options.longLived === true),
    import("@replant/postgres/rows").then(({ rowPort }) => rowPort),
    openMigrator(loaded, files),
    openIdentities(loaded, { env: options.env, signal }).then((identities) =>
      openSeeder(loaded, { files, env: options.env, signal, identities }),
    ),
    openStore(loaded, files),
  ]);
  const ports: Ports = {
    engine,
    rows,
    migrator,
    seeder,
    store,
    journal: openJournal({ directory, files }),
    catalogs: openCatalogs({ directory, files }),
    clock: systemClock(),
    followUps: await openFollowUps(loaded, { env: options.env, signal }),
    emit: options.emit ?? (() => undefined),
    signal,
  };
  const project: Project = {
    tool: options.tool ?? "replant",
    id: await projectId({ directory, files }),
    keep: await withOwnRules(config),
    naturalKeys: config.naturalKeys,
    previousKept: config.previous.keep,
    backups: config.backups,
  };
  return { root, config, resolved, machineCache, ports, project, close: () => engine.close() };
}

/** People whom seeds may mean; null where the project has no identity provider. */
async function openIdentities(
  loaded: LoadedProject,
  options: { env: Environment; signal: AbortSignal },
): Promise<Identities | null> {
  if (loaded.config.identity === null) return null;
  const { openSeedIdentities } = await import("./identity/open.ts");
  return openSeedIdentities(loaded, options);
}

async function openFollowUps(
  loaded: LoadedProject,
  options: { env: Environment; signal: AbortSignal },
): Promise<Ports["followUps"]> {
  if (loaded.config.identity === null) return [];
  const { identityFollowUp } = await import("./identity/follow-up.ts");
  return [identityFollowUp(loaded, options)];
}

/** What is promised to an identity provider survives every reset, unless a rule of the project says otherwise. */
async function withOwnRules({ keep, identity }: ProjectConfig): Promise<KeepRules> {
  if (identity === null) return keep;
  const { mappingOf, ownKept } = await import("@replant/identity-sync");
  const rule = { where: null, onConflict: "kept", onMissing: {}, optional: true } as const;
  const own = ownKept(mappingOf(identity).own).map((table) => [tableLabel(table), rule] as const);
  // A table named `constructor` has a rule only if one was written.
  return Object.setPrototypeOf({ ...Object.fromEntries(own), ...keep }, null) as KeepRules;
}

/** Where the database is, in words that name no user and no password. */
export function locationOf({ root, resolved }: LoadedProject): string {
  return resolved.kind === "embedded" ? relative(root, resolved.directory) : resolved.address.location;
}

export function databaseOf({ resolved }: LoadedProject): string {
  return resolved.kind === "embedded" ? resolved.name : resolved.address.database;
}

/** What `openEmbedded` and `serveEmbedded` need to know of a project. */
export function embeddedOptions(
  { root, machineCache }: Pick<LoadedProject, "root" | "machineCache">,
  resolved: Extract<ResolvedDatabase, { kind: "embedded" }>,
): { directory: string; name: string; cacheDirectory: string; imageDirectory: string } {
  return {
    directory: resolved.directory,
    name: resolved.name,
    cacheDirectory: join(root, stateDirectory, "cache"),
    imageDirectory: machineCache,
  };
}

async function openEngine(loaded: LoadedProject, files: Files, longLived: boolean): Promise<Engine> {
  const { resolved } = loaded;
  if (resolved.kind === "embedded") {
    const { openEmbedded, preferQuickStart } = await import("@replant/postgres/embedded");
    if (!longLived) await preferQuickStart();
    return openEmbedded({ ...embeddedOptions(loaded, resolved), files });
  }
  const { openServer } = await import("@replant/postgres/server");
  return openServer({ url: resolved.url });
}

async function openMigrator({ root, config }: LoadedProject, files: Files): Promise<Migrator> {
  const { prismaMigrator } = await import("@replant/migrators/prisma");
  return prismaMigrator({ directory: resolve(root, config.migrations.directory), root, files });
}

async function openSeeder(
  { root, config, resolved }: LoadedProject,
  {
    files,
    env,
    signal,
    identities,
  }: { files: Files; env: Environment; signal: AbortSignal; identities: Identities | null },
): Promise<Ports["seeder"]> {
  const [{ createSeeder }, { importModule }] = await Promise.all([import("@replant/seeds"), import("@replant/node")]);
  return createSeeder({
    root,
    patterns: config.seeds.files,
    sets: config.seeds.sets,
    commands: config.seeds.commands,
    files,
    importModule,
    connectionUrl: (database) => (resolved.kind === "server" ? urlOf(resolved.url, database) : null),
    environment: env,
    identities,
    signal,
  });
}

/** The URL of another database on the same server; everything else of it stays as it was written. */
function urlOf(url: string, database: string): string {
  return url.replace(
    /^([a-z]+:\/\/[^/?#]*)(\/[^?#]*)?/i,
    (_, server: string) => `${server}/${encodeURIComponent(database)}`,
  );
}

async function openStore({ root, config }: LoadedProject, files: Files): Promise<Ports["store"]> {
  const { diskStore } = await import("@replant/backups/disk");
  const { directory } = config.backups;
  return diskStore({ directory: resolve(root, directory), files, location: directory });
}
