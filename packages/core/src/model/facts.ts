import type { DatabaseRef } from "../ports/engine.ts";

/** A session of somebody else on live. */
export interface ForeignSession {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  readonly state: string;
  /** Age of the transaction, or of the session where none is open. */
  readonly ageMs: number;
}

/** What an engine reads of itself and of live, without changing anything. */
export interface TargetFacts {
  readonly engine: "server" | "embedded";
  /** The live database's name. */
  readonly database: string;
  /** null: the database does not exist yet. */
  readonly live: DatabaseRef | null;
  /** `localhost:5432`, a socket's path, or the data directory relative to the project. No user, no password. */
  readonly location: string;
  /** True for loopback, socket and embedded. */
  readonly local: boolean;
  readonly systemIdentifier: string;
  /** `15.18` */
  readonly serverVersion: string;
  readonly serverMajor: number;
  readonly encoding: string;
  readonly collation: string;
  /** Installable extensions are not listed: only those that live has, `name version`, sorted. */
  readonly extensions: readonly string[];
  readonly sizeBytes: number;
  readonly sessions: readonly ForeignSession[];
  /** Why an atomic swap is not possible here, one line each; empty when it is. */
  readonly swapBlockers: readonly string[];
  /** The mark inside the database: `production` refuses every reset. */
  readonly environment: string | null;
}
