/*
 * `pnpm bench:setup`: installs into .bench what the bench compares with: peers, pinned, and Replant as it is published, built and packed
 * from these sources. Run it again after a change of the sources. No install script of any of them runs.
 */
import { globSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { $, ProcessOutput } from "zx";
import { benchDirectory, builtDirectory, repository } from "./lib/bench/paths.ts";

const peers = {
  prisma: "6.19.3",
  "@prisma/client": "6.19.3",
  "@prisma/adapter-pg": "6.19.3",
  pg: "8.20.0",
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

try {
  await installPeers();
  await installBuilt();
} catch (error) {
  if (!(error instanceof ProcessOutput)) throw error;
  console.error("bench:setup stopped, for the reason above; what is there by now is used, the rest is skipped");
  process.exitCode = 1;
}

async function installPeers(): Promise<void> {
  console.log("peers of the bench");
  await install(benchDirectory, { name: "bench-peers", dependencies: peers });
}

/** Tarballs, not links: what is measured is what `npm install @replant/cli` would give. */
async function installBuilt(): Promise<void> {
  console.log("Replant, built and packed");
  await $({ cwd: repository, stdio: "inherit" })`pnpm exec turbo run build --output-logs=errors-only`;
  await rm(builtDirectory, { recursive: true, force: true });
  await mkdir(builtDirectory, { recursive: true });
  const files: Record<string, string> = {};
  for (const path of globSync("{packages,apps}/*/package.json", { cwd: repository })) {
    const { name, version, private: own } = JSON.parse(readFileSync(join(repository, path), "utf8")) as Manifest;
    if (own === true) continue;
    await quietly(join(repository, dirname(path)))`pnpm pack --pack-destination ${builtDirectory}`;
    files[name] = `file:${name.slice(1).replace("/", "-")}-${version}.tgz`;
  }
  // The packages name each other by version, and no registry has these.
  await install(builtDirectory, { name: "bench-built", dependencies: files, overrides: files });
}

async function install(directory: string, manifest: object): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, "package.json"),
    `${JSON.stringify({ private: true, type: "module", ...manifest }, null, 2)}\n`,
  );
  await quietly(directory)`npm install --ignore-scripts --no-audit --no-fund --no-package-lock`;
}

/** Commands in a directory, of which only complaints are shown. */
function quietly(directory: string): typeof $ {
  return $({ cwd: directory, stdio: ["ignore", "ignore", "inherit"] });
}
