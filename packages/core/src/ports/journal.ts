import type { Catalog } from "../model/catalog.ts";
import type { JournalRecord, RunJournal } from "../model/journal.ts";

/** The append-only records of runs, and the one open chain. Lives in the project's state directory. */
export interface Journal {
  /** Durable before it returns. */
  append(run: string, record: JournalRecord): Promise<void>;
  /** Newest first. A torn last line is ignored. */
  runs(limit: number): Promise<RunJournal[]>;
  /** The chain that `--chain` tasks join, or null. */
  readChain(): Promise<ChainState | null>;
  writeChain(chain: ChainState | null): Promise<void>;
  /** Removes the journals of runs beyond the newest `keep`. */
  prune(keep: number): Promise<void>;
}

/** What the tasks of a chain hand to each other. */
export interface ChainState {
  readonly run: string;
  readonly live: string;
  readonly tasks: readonly ("backup" | "reset" | "seed")[];
  readonly backup: string;
  /** The database that the tasks build; null until `reset`. */
  readonly candidate: { readonly name: string; readonly id: string } | null;
}

/** What baselines look like inside, kept beside them so that a plan needs no connection to one. */
export interface CatalogCache {
  readCatalog(fingerprint: string): Promise<Catalog | null>;
  writeCatalog(fingerprint: string, catalog: Catalog): Promise<void>;
}
