import { diskStore, writeBackupFile } from "../src/disk/index.ts";
import { binaryCopy, chunks, files, firstId, sampleManifest, samplePart, sampleTable, secondId } from "./sample.ts";

const sequences = [
  { schema: "public", name: "users_id_seq", table: { schema: "public", name: sampleTable().name }, column: "id", lastValue: "41", isCalled: true },
  { schema: "o\"ther", name: "down", table: { schema: "public", name: '"Table t0002"' }, column: "id", lastValue: "-9223372036854775808", isCalled: false },
]; // prettier-ignore

/** What the golden backups of format 1 hold: id, parts by id as COPY gives them, and what their manifests say besides. */
export const goldenInput = {
  [firstId]: {
    parts: {
      t0001: "1\ta\n2\t\\N\n",
      t0002: "",
      t0003: `${"x".repeat(300)}\ttab\\there\n`.repeat(2000),
      t0004: binaryCopy([
        ["\0\0\0\u0001", "new\nline"],
        ["\0\0\0\u0002", null],
        ["", "z".repeat(300_000)],
      ]),
      t0005: binaryCopy([]),
    },
    manifest: { sequences },
  },
  [secondId]: {
    parts: { t0001: "\\\\x00ff\t\u00e9\\n\\\\.\n" },
    manifest: { migrator: "none", migrations: [], keep: {} },
  },
} as const;

/** The first of them as one file. */
export const goldenFile = "golden.replant";

/** The version of zstd that compressed the golden backups; another one may give other bytes for the same text. */
export const goldenZstd = "1.5.7";

/** Writes the golden backups with today's writer into a directory. */
export async function writeGolden(directory: string): Promise<void> {
  const store = diskStore({ directory, files });
  for (const [id, { parts, manifest }] of Object.entries(goldenInput)) {
    const writer = await store.create(id);
    for (const [part, rows] of Object.entries(parts)) {
      const entry = samplePart(part, part === "t0001" ? sampleTable() : sampleTable(`"Table ${part}"`));
      const role = part === "t0003" ? "context" : "kept";
      await writer.add({ ...entry, role, copy: typeof rows === "string" ? "text" : "binary" }, chunks(rows));
    }
    await writer.seal({ ...sampleManifest(id), ...manifest });
  }
  await writeBackupFile(files, await store.open(firstId), `${directory}/${goldenFile}`);
}
