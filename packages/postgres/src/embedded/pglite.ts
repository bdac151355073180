import type * as Pglite from "@electric-sql/pglite";
import type * as NodeFiles from "@electric-sql/pglite/nodefs";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { ReplantError } from "@replant/core";

/** The parts of the PGlite package that this folder uses, and its version (`0.5.16`). */
export interface PgliteModule {
  readonly PGlite: typeof Pglite.PGlite;
  readonly NodeFS: typeof NodeFiles.NodeFS;
  readonly serialize: typeof Pglite.protocol.serialize;
  readonly version: string;
  /** Extensions that the package brings along, by name, each a bundle to load at the start of an instance. */
  readonly bundles: ReadonlyMap<string, URL>;
}

let loaded: Promise<PgliteModule> | undefined;

/**
 * Loads PGlite once per process. It is a peer dependency of several megabytes, so nobody who drives a server pays for it.
 * PGlite keeps the compiled module itself: the second instance of a process skips the compiler.
 * @throws ReplantError REPLANT_ENGINE_UNSUPPORTED when the package is not installed
 */
export function loadPglite(): Promise<PgliteModule> {
  loaded ??= importPglite();
  return loaded;
}

async function importPglite(): Promise<PgliteModule> {
  try {
    const [{ PGlite, protocol }, { NodeFS }] = await Promise.all([
      import("@electric-sql/pglite"),
      import("@electric-sql/pglite/nodefs"),
    ]);
    const entry = pathToFileURL(createRequire(import.meta.url).resolve("@electric-sql/pglite"));
    const [version, bundles] = await Promise.all([packageVersion(entry), bundlesBeside(entry)]);
    return { PGlite, NodeFS, serialize: protocol.serialize, version, bundles };
  } catch (cause) {
    loaded = undefined;
    throw new ReplantError(
      "REPLANT_ENGINE_UNSUPPORTED",
      "the embedded database needs the package @electric-sql/pglite",
      {
        why: "it could not be loaded; Replant does not bring it along because only the embedded engine uses it",
        hint: "add @electric-sql/pglite to the devDependencies of this project, or set DATABASE_URL to a server",
        cause,
      },
    );
  }
}

/** Read from the file, because the package does not export its package.json. */
async function packageVersion(entry: URL): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile(new URL("../package.json", entry), "utf8"));
  if (typeof parsed === "object" && parsed !== null && "version" in parsed && typeof parsed.version === "string") {
    return parsed.version;
  }
  throw new Error(`no version in the package.json above ${entry.href}`);
}

/** Of these CREATE EXTENSION is no use without a setting that only a start from a configuration file can have. */
const preloaded = ["auto_explain", "passwordcheck", "pg_overexplain", "pg_stat_statements"];

async function bundlesBeside(entry: URL): Promise<Map<string, URL>> {
  const names = (await readdir(new URL(".", entry)))
    .filter((name) => name.endsWith(".tar.gz"))
    .map((name) => name.slice(0, -".tar.gz".length))
    .filter((name) => !preloaded.includes(name));
  return new Map(names.map((name) => [name, new URL(`${name}.tar.gz`, entry)]));
}

/**
 * Keeps V8 from optimising PGlite's code, and from recording what optimising would need: a command that lives for a second or two
 * uses half the CPU and a third of the memory without it. Process-wide and for good, so the program decides, not the engine; call
 * it before the first database is opened, and not where a database is served for long.
 */
export async function preferQuickStart(): Promise<void> {
  const { setFlagsFromString } = await import("node:v8");
  // The last one implies the others only where it is given before V8 starts.
  for (const flag of ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering", "--liftoff-only"]) setFlagsFromString(flag);
}
