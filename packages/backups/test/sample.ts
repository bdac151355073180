import type { BackupManifest, BackupReader, BackupStore, NewManifest, NewPart, Table } from "@replant/core";
import { nodeFiles } from "@replant/node";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { diskStore } from "../src/disk/index.ts";

export const files = nodeFiles();
export const [firstId, secondId] = ["2026-11-20T09-41-02-123Z-a81f", "2026-11-20T09-41-03-000Z-b92c"] as const;

/** A real directory of this test's own, gone when it ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "replant-backups-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A store in a directory that does not exist yet. */
export function newStore(): { readonly store: BackupStore; readonly directory: string } {
  const directory = join(temporaryDirectory(), "backups");
  return { store: diskStore({ directory, files }), directory };
}

const column = {
  name: "id",
  type: "uuid",
  baseType: "uuid",
  notNull: true,
  default: "gen_random_uuid()",
  identity: "none",
  generated: false,
  enumLabels: null,
} as const;

/** A table with a name that no path and no SQL would survive unquoted. */
export function sampleTable(name = 'users"; DROP TABLE x; --'): Table {
  return {
    schema: "public",
    name,
    columns: [
      column,
      { ...column, name: "../../etc/passwd", type: "user_role", baseType: "user_role", enumLabels: ["a", "b"] },
      { ...column, name: "lower", generated: true },
    ],
    keys: [{ name: "users_pkey", columns: ["id"], primary: true }],
    foreignKeys: [
      { name: "users_org", columns: ["id"], target: { schema: "public", name: "orgs" }, targetColumns: ["id"] },
    ],
    rowEstimate: -1,
  };
}

export function samplePart(id: string, table: Table = sampleTable(`table ${id}`)): NewPart {
  return { id, role: "kept", table, columns: ["id", "../../etc/passwd"], copy: "text", digest: "39:ab" };
}

export function sampleManifest(id: string): NewManifest {
  return {
    format: 1,
    tool: "replant 0.1.0",
    id,
    run: `20261120T094102123Z-${id.slice(-4)}`,
    createdAt: "2026-11-20T09:41:02.123Z",
    lineage: {
      systemIdentifier: "7300000000000000001",
      database: "app",
      project: "0b0e7f0e-96b1-4b53-9f0e-2d8f0d1a2b3c",
    },
    server: { version: "15.18", encoding: "UTF8" },
    migrator: "prisma",
    migrations: [{ name: "20260101000000_init", checksum: "ab".repeat(32) }],
    keep: {
      users: { where: "deleted_at IS NULL", onConflict: "kept", onMissing: { organization_id: "null" } },
      __proto__x: { where: null, onConflict: "seed", onMissing: {} },
    },
    sequences: [],
  };
}

export async function* chunks(...pieces: (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

/** Rows in COPY's binary form, as a server would send them. */
export function binaryCopy(rows: readonly (readonly (string | Uint8Array | null)[])[]): Buffer {
  const number = (value: number, bytes: 2 | 4): Buffer => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeIntBE(value, 0, bytes);
    return buffer;
  };
  const fields = rows.map((row) =>
    row.flatMap((value) =>
      value === null ? [number(-1, 4)] : [number(Buffer.from(value).length, 4), Buffer.from(value)],
    ),
  );
  return Buffer.concat([
    Buffer.from("PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0", "latin1"),
    ...rows.flatMap((row, index) => [number(row.length, 2), ...(fields[index] ?? [])]),
    number(-1, 2),
  ]);
}

/** Writes and seals a backup with these parts: id → COPY text. */
export async function writeBackup(
  store: BackupStore,
  id: string,
  parts: Readonly<Record<string, string | Uint8Array>>,
): Promise<BackupManifest> {
  const writer = await store.create(id);
  for (const [part, text] of Object.entries(parts)) await writer.add(samplePart(part), chunks(text));
  return writer.seal(sampleManifest(id));
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** Every part of an opened backup. */
export async function readParts(reader: BackupReader): Promise<Map<string, Buffer>> {
  const parts = new Map<string, Buffer>();
  for (const { id } of reader.manifest.entries) parts.set(id, await readAll(reader.rows(id)));
  return parts;
}
