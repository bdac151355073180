import type { BackupManifest } from "@replant/core";
import { diskStore } from "../src/disk/index.ts";
import { chunks, files, firstId, sampleManifest, samplePart, sampleTable, secondId } from "./sample.ts";

/** What the golden backups of format 1 hold: id, parts by id as COPY text, and what their manifests say besides. */
export const goldenInput = {
  [firstId]: {
    parts: { t0001: "1\ta\n2\t\\N\n", t0002: "", t0003: `${"x".repeat(300)}\ttab\\there\n`.repeat(2000) },
    manifest: {},
  },
  [secondId]: {
    parts: { t0001: "\\\\x00ff\t\u00e9\\n\\\\.\n" },
    manifest: { migrator: "none", migrations: [], keep: {} },
  },
} as const;

/** The version of zstd that compressed the golden backups; another one may give other bytes for the same text. */
export const goldenZstd = "1.5.7";

/** Writes the golden backups with today's writer into a directory. */
export async function writeGolden(directory: string): Promise<BackupManifest[]> {
  const store = diskStore({ directory, files });
  const manifests: BackupManifest[] = [];
  for (const [id, { parts, manifest }] of Object.entries(goldenInput)) {
    const writer = await store.create(id);
    for (const [part, text] of Object.entries(parts)) {
      const entry = samplePart(part, part === "t0001" ? sampleTable() : sampleTable(`"Table ${part}"`));
      await writer.add({ ...entry, role: part === "t0003" ? "context" : "kept" }, chunks(text));
    }
    manifests.push(await writer.seal({ ...sampleManifest(id), ...manifest }));
  }
  return manifests;
}
