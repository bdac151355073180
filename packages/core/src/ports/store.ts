import type { BackupEntry, BackupManifest, BackupNote, BackupSummary } from "../model/backup.ts";

/** A part before it is written: the rest of its entry is counted on the way. */
export type NewPart = Omit<BackupEntry, "rows" | "sizeBytes" | "storedBytes" | "sha256">;
/** A manifest before it is sealed: entries and number are the writer's to say. */
export type NewManifest = Omit<BackupManifest, "entries" | "sequence">;

/** A backup while it is being written; invisible to `list` until sealed. */
export interface BackupWriter {
  /** Streams one part to the store, compressed and hashed. `rows` is counted from the stream. */
  add(part: NewPart, rows: AsyncIterable<Uint8Array>): Promise<BackupEntry>;
  /**
   * Writes the manifest, makes everything durable, reads it back, shows it under its id, and moves `latest`. The backup's
   * number is one more than the highest in the store; two that are sealed at the same moment may have the same.
   */
  seal(manifest: NewManifest): Promise<BackupManifest>;
  /** Removes what was written. May be called twice, and after `seal` (then it does nothing). */
  abort(): Promise<void>;
}

export interface BackupReader {
  readonly manifest: BackupManifest;
  /** Where a person finds it. */
  readonly location: string;
  /** Reads every part to its end and compares sizes, rows and hashes. @throws REPLANT_BACKUP_DAMAGED naming the part */
  verify(): Promise<void>;
  /**
   * One part as COPY gave it, text or binary. A piece is valid until the next one is asked for. Throws REPLANT_BACKUP_DAMAGED at the
   * first difference, at the latest before it ends.
   */
  rows(entry: string): AsyncIterable<Uint8Array>;
  /** The bytes of one part as they are stored, unverified: a copy that is made of them has to be verified. */
  stored(entry: string): AsyncIterable<Uint8Array>;
}

/** Where backups live. */
export interface BackupStore {
  /** Shown to the person. */
  readonly location: string;
  /**
   * @param options `sequence`: the number of a backup that was made earlier and elsewhere; `latest` moves to it only from an
   * older one
   * @throws REPLANT_BACKUP_EXISTS | REPLANT_DISK_FULL | REPLANT_STORE_UNREADABLE
   */
  create(id: string, options?: { readonly sequence: number }): Promise<BackupWriter>;
  /** Newest first; damaged ones with the reason. */
  list(): Promise<BackupSummary[]>;
  /**
   * By id, unique prefix of an id, label, path (of a backup or of a file that holds one), `latest`, or `latest~2`: the second good one made before it. The manifest is
   * verified, the parts are not.
   * @throws REPLANT_BACKUP_NOT_FOUND listing what is there | REPLANT_BACKUP_DAMAGED | REPLANT_BACKUP_NEWER
   */
  open(reference: string): Promise<BackupReader>;
  /**
   * The id that a reference means in this store, also of a damaged backup. A path has to lead to a backup of this store.
   * @throws REPLANT_BACKUP_NOT_FOUND listing what is there
   */
  find(reference: string): Promise<string>;
  /**
   * Changes what is noted beside a backup; what is absent from `change` stays.
   * @throws REPLANT_BACKUP_NOT_FOUND | REPLANT_USAGE when the label is none, or another backup has it
   */
  annotate(id: string, change: Partial<BackupNote>): Promise<BackupNote>;
  /** Removes the backup and its note. `latest` moves to the newest good one of the others. */
  remove(id: string): Promise<void>;
}
