import { createRequire } from "node:module";

/** The version of this package, as its package.json says. */
export function readVersion(): string {
  const { version }: { version: string } = createRequire(import.meta.url)("../package.json");
  return version;
}
