import type { Files, Identities } from "@replant/core";
import { ReplantError } from "@replant/core";
import { createHash } from "node:crypto";
import { dirname, join, relative, resolve } from "node:path";
import { matches, slashed } from "./discover.ts";
import { dependenciesOf } from "./imports.ts";
import type { ProjectSeed } from "./project-seeds.ts";

export interface FingerprintOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly files: Files;
  readonly identities?: Pick<Identities, "scope"> | null;
}

/**
 * sha256 (hex) over what these seeds consist of, each file by its path from the root and its content with LF line ends:
 * - the file of each seed, all that it imports, local or of the workspace, and the package.json of installed packages;
 * - every other file below the directory of a seed, because data lies beside it; not where that directory is a package or the
 *   project itself, which hold too much else. Dot files and node_modules do not count;
 * - of a command seed its argv and the files of its `inputs`;
 * - where there is an identity provider and a file says "identity", what its answers depend on;
 * - the seeds themselves in their order, so that another choice is another fingerprint.
 */
export async function fingerprintOf(seeds: readonly ProjectSeed[], options: FingerprintOptions): Promise<string> {
  const inputs = new Map([...(await fileInputs(seeds, options)), ...(await commandInputs(seeds, options))]);
  const hash = createHash("sha256").update(JSON.stringify(["seeds 1", seeds.map(identity)]));
  let meansPeople = false;
  for (const [label, path] of [...inputs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = await options.files.read(path);
    const text = Buffer.from(bytes ?? [])
      .toString("latin1")
      .replaceAll("\r\n", "\n");
    hash.update(JSON.stringify([label, text.length])).update(text, "latin1");
    meansPeople ||= text.includes("identity");
  }
  // Others are the same whatever the provider would say.
  if (meansPeople && options.identities != null) {
    hash.update(JSON.stringify(["identities", options.identities.scope]));
  }
  return hash.digest("hex");
}

/** Absolute paths by a label that is the same on every machine. */
type Inputs = Map<string, string>;

async function fileInputs(seeds: readonly ProjectSeed[], options: FingerprintOptions): Promise<Inputs> {
  const own = seeds.flatMap((seed) => (seed.kind === "file" ? [seed.file] : []));
  const found = await dependenciesOf(own, options.files);
  const paths = [...found.files];
  for (const directory of new Set(own.map((file) => dirname(file)))) {
    paths.push(...((await filesBelow(directory, options)) ?? []));
  }
  return new Map([
    ...paths.map((path) => [slashed(relative(options.root, path)), path] as const),
    ...[...found.packages].map(([specifier, manifest]) => [`package ${specifier}`, manifest] as const),
  ]);
}

/** null for a directory that is more than a place for seeds. */
async function filesBelow(directory: string, { root, files }: FingerprintOptions): Promise<string[] | null> {
  const entries = (await files.list(directory)).filter(
    (entry) => !entry.name.startsWith(".") && entry.name !== "node_modules",
  );
  if (directory === resolve(root) || entries.some((entry) => entry.name === "package.json")) return null;
  const found: string[] = [];
  for (const { name, kind } of entries) {
    const path = join(directory, name);
    if (kind === "file") found.push(path);
    if (kind === "directory") found.push(...((await filesBelow(path, { root, files })) ?? []));
  }
  return found;
}

async function commandInputs(seeds: readonly ProjectSeed[], { root }: FingerprintOptions): Promise<Inputs> {
  const inputs: Inputs = new Map();
  for (const seed of seeds) {
    for (const pattern of seed.kind === "command" ? seed.inputs : []) {
      const found = await matches(root, [pattern]);
      if (found.length === 0) throw unmatched(seed, pattern);
      for (const path of found) inputs.set(path, join(root, path));
    }
  }
  return inputs;
}

function unmatched(seed: ProjectSeed, pattern: string): ReplantError {
  return new ReplantError("REPLANT_SEED_INVALID", `no file matches an input of command seed "${seed.name}"`, {
    where: pattern,
    hint: "correct the pattern in inputs; it is relative to the project's root",
  });
}

function identity(seed: ProjectSeed): unknown {
  return [seed.name, seed.set, ...(seed.kind === "command" ? [seed.command, seed.cwd] : [])];
}
