import type {
  AppliedMigration,
  BackupEntry,
  BackupManifest,
  Column,
  ForeignKey,
  Key,
  Lineage,
  RecordedRule,
  RecordedSequence,
  Table,
  TableName,
} from "@replant/core";
import { backupIdPattern, sameTable } from "@replant/core";
import {
  contained,
  count,
  dictionary,
  distinct,
  flag,
  list,
  Malformed,
  matching,
  name,
  nullable,
  number,
  object,
  oneOf,
  ordinal,
  text,
  type Check,
} from "./checks.ts";

/** Longer than any label `schema.table`: two names of 63 bytes and the dot. */
const label = text(127);
const word = text(1024);
/** SQL that is shown and compared, never executed. */
const sql = text(1024 * 1024);
const names = (most: number): Check<readonly string[]> => list(name, most);
/** PostgreSQL's own limits: 1,600 columns, 32 columns of a key. */
const [maxColumns, maxKeyColumns, maxParts] = [1600, 32, 9999];

/** The name of a part: its file's name begins with it. */
export const partIdPattern = /^t\d{4}$/;
const sha256 = matching(/^[0-9a-f]{64}$/);

const tableName = { schema: name, name };

const column = object<Column>({
  name,
  type: word,
  baseType: word,
  notNull: flag,
  default: nullable(sql),
  identity: oneOf("none", "default", "always"),
  generated: flag,
  enumLabels: nullable(names(100_000)),
});

const table = object<Omit<Table, "hasChildren">>({
  ...tableName,
  columns: list(column, maxColumns),
  keys: list(object<Key>({ name, columns: names(maxKeyColumns), primary: flag }), 1000),
  foreignKeys: list(
    object<ForeignKey>({
      name,
      columns: names(maxKeyColumns),
      target: object<TableName>(tableName),
      targetColumns: names(maxKeyColumns),
    }),
    1000,
  ),
  rowEstimate: number(-1),
});

const entry = object<BackupEntry>({
  id: matching(partIdPattern),
  role: oneOf("kept", "context"),
  table,
  columns: names(maxColumns),
  copy: oneOf("text", "binary"),
  rows: count,
  digest: text(256),
  sizeBytes: count,
  storedBytes: count,
  sha256,
});

const recordedSequence = object<RecordedSequence>({
  ...tableName,
  table: object<TableName>(tableName),
  column: name,
  lastValue: matching(/^(0|-?[1-9]\d{0,18})$/),
  isCalled: flag,
});

const keepRule = object<RecordedRule>({
  where: nullable(sql),
  onConflict: oneOf("kept", "seed", "error"),
  onMissing: dictionary(name, oneOf("error", "null", "drop-row"), 1000),
});

const manifest = object<BackupManifest>({
  format: oneOf(1),
  tool: text(256),
  id: matching(backupIdPattern),
  run: matching(/^[0-9A-Za-z-]{1,100}$/),
  sequence: ordinal,
  createdAt: matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
  lineage: object<Lineage>({ systemIdentifier: word, database: name, project: text(256) }),
  server: object<BackupManifest["server"]>({ version: text(256), encoding: text(256) }),
  migrator: text(256),
  migrations: list(object<AppliedMigration>({ name: word, checksum: word }), 100_000),
  keep: dictionary(label, keepRule, maxParts),
  sequences: list(recordedSequence, 100_000),
  entries: list(entry, maxParts),
});

/**
 * A manifest out of untrusted JSON: types, limits, names, and what the members say about one another.
 * @throws Malformed naming the first place that is wrong
 */
export function checkManifest(value: unknown): BackupManifest {
  const checked = manifest(value, "manifest");
  distinct(
    checked.entries.map(({ id }) => id),
    "manifest.entries' ids",
  );
  distinct(
    checked.entries.map(({ role, table }) => JSON.stringify([role, table.schema, table.name])),
    "manifest.entries' tables",
  );
  distinct(
    checked.sequences.map(({ table, column, ...sequence }) =>
      JSON.stringify([table.schema, table.name, column, sequence.schema, sequence.name]),
    ),
    "manifest.sequences",
  );
  checked.sequences.forEach((sequence, index) =>
    checkSequence(sequence, checked.entries, `manifest.sequences[${index}]`),
  );
  checked.entries.forEach((entry, index) => checkColumns(entry, `manifest.entries[${index}]`));
  return checked;
}

/** A sequence belongs to a column of a kept table. */
function checkSequence({ table, column }: RecordedSequence, entries: readonly BackupEntry[], where: string): void {
  const entry = entries.find((candidate) => candidate.role === "kept" && sameTable(candidate.table, table));
  contained([column], entry?.table.columns.map(({ name }) => name) ?? [], where);
}

/** Every list of columns is made of the table's own, so that nobody looks one up in vain later. */
function checkColumns({ columns, table }: BackupEntry, where: string): void {
  const all = table.columns.map((column) => column.name);
  distinct(all, `${where}.table.columns`);
  distinct(columns, `${where}.columns`);
  const stored = table.columns.filter(({ generated }) => !generated).map((column) => column.name);
  contained(columns, stored, `${where}.columns`);
  for (const key of table.keys) contained(key.columns, all, `${where}.table.keys`);
  for (const foreignKey of table.foreignKeys) {
    contained(foreignKey.columns, all, `${where}.table.foreignKeys`);
    if (foreignKey.columns.length !== foreignKey.targetColumns.length) {
      throw new Malformed(`${where}.table.foreignKeys is not made of pairs of columns`);
    }
  }
}
