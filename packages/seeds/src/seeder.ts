import type {
  Files,
  Identities,
  ImportModule,
  SeedChoice,
  Seeder,
  SeedInfo,
  SeedResult,
  SqlSession,
} from "@replant/core";
import { ReplantError } from "@replant/core";
import { checkCommandSeed, type CommandSeed } from "./command-seed.ts";
import { discoverSeeds } from "./discover.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { ensureLedger } from "./ledger.ts";
import { chooseSeeds, orderSeeds, type ProjectSeed } from "./project-seeds.ts";
import { runCommandSeed } from "./run-command-seed.ts";
import { runFileSeed } from "./run-file-seed.ts";

export interface SeederOptions {
  /** Absolute path of the project; patterns and messages are relative to it. */
  readonly root: string;
  /** Globs of the files that export seeds. */
  readonly patterns: readonly string[];
  /** Sets that run when nobody chooses; one of them may have no seed. */
  readonly sets: readonly string[];
  readonly files: Files;
  readonly importModule: ImportModule;
  readonly commands?: readonly CommandSeed[];
  /** URL of a database for the commands; null, and absent, where the engine takes no connections of other processes. */
  readonly connectionUrl?: (database: string) => string | null;
  /** The environment of which commands see a small part. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Users of an identity provider whom seeds may mean; null, and absent, where there is none. */
  readonly identities?: Identities | null;
  /** Ends a running command with all that it started, and stops before the next seed. */
  readonly signal?: AbortSignal;
}

/** Finds and runs a project's seeds: those that its files export, and its commands. Files are imported once per seeder. */
export function createSeeder(options: SeederOptions): Seeder {
  let found: Promise<ProjectSeed[]> | undefined;
  const all = (): Promise<ProjectSeed[]> => (found ??= findSeeds(options));
  const choose = async (choice: SeedChoice): Promise<ProjectSeed[]> => chooseSeeds(await all(), choice, options.sets);
  return {
    list: async () => (await all()).map(info),
    choose: async (choice) => (await choose(choice)).map(info),
    fingerprint: async (choice) => fingerprintOf(await choose(choice), options),
    run: async (session, choice, run) => {
      const seeds = await choose(choice);
      if (seeds.length > 0) await ensureLedger(session);
      const results: SeedResult[] = [];
      for (const seed of seeds) {
        assertNotAborted(options.signal, seed);
        const rows = await runSeed(session, seed, { options, mustWrite: run.mustWrite });
        const result = { name: seed.name, set: seed.set, rows };
        results.push(result);
        run.onSeed(result);
      }
      return results;
    },
  };
}

async function findSeeds(options: SeederOptions): Promise<ProjectSeed[]> {
  const commands = (options.commands ?? []).map(checkCommandSeed);
  return orderSeeds([...(await discoverSeeds(options)), ...commands]);
}

async function runSeed(
  session: SqlSession,
  seed: ProjectSeed,
  { options, mustWrite }: { readonly options: SeederOptions; readonly mustWrite: boolean },
): Promise<number> {
  const shared = { root: options.root, mustWrite, fingerprint: await fingerprintOf([seed], options) };
  if (seed.kind === "file") {
    return runFileSeed(session, seed, { ...shared, identities: options.identities ?? null });
  }
  return runCommandSeed(session, seed, {
    ...shared,
    url: options.connectionUrl?.(session.database) ?? null,
    environment: options.environment ?? {},
    signal: options.signal,
  });
}

function assertNotAborted(signal: AbortSignal | undefined, seed: ProjectSeed): void {
  if (signal?.aborted !== true) return;
  throw new ReplantError("REPLANT_CANCELLED", `interrupted before seed "${seed.name}"`);
}

function info({ name, set, dependsOn, description, where }: ProjectSeed): SeedInfo {
  return { name, set, dependsOn, description, where };
}
