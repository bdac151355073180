import type { TargetFacts } from "../model/facts.ts";
import type { MigrationFile } from "../ports/migrator.ts";
import { hashOf } from "./canonical.ts";

// Raised when baselines built by an older version of this code must not be used any more.
const baselineVersion = 1;

/** The key of a baseline: everything that decides what migrations and seeds make of an empty database. sha256 (hex). */
export function baselineFingerprint(facts: {
  readonly target: Pick<TargetFacts, "engine" | "serverMajor" | "encoding" | "collation">;
  readonly migrator: { readonly id: string; readonly fingerprint: string };
  readonly migrations: readonly MigrationFile[];
  readonly seedFingerprint: string;
}): string {
  const { engine, serverMajor, encoding, collation } = facts.target;
  return hashOf({
    baselineVersion,
    server: { engine, serverMajor, encoding, collation },
    migrator: { id: facts.migrator.id, fingerprint: facts.migrator.fingerprint },
    migrations: facts.migrations.map(({ name, checksum }) => [name, checksum]),
    seeds: facts.seedFingerprint,
  });
}
