import type { BackupNote, Files } from "@replant/core";
import { ReplantError } from "@replant/core";
import { join } from "node:path";
import { matching, nullable, object } from "../format/checks.ts";
import { backupIds, sizeOrNull } from "./layout.ts";

const notesName = "notes";
const maxBytes = 4096;
const empty: BackupNote = { label: null, verifiedAt: null, damage: null };

const note = object<BackupNote>({
  label: nullable(matching(/^[a-z0-9-]{1,40}$/)),
  verifiedAt: nullable(matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)),
  damage: nullable(matching(/^[\x20-\x7e]{1,500}$/)),
});

/** What is noted beside a backup. A note that cannot be read says nothing: it must never stand in a backup's way. */
export async function readNote(files: Files, store: string, id: string): Promise<BackupNote> {
  const path = notePath(store, id);
  try {
    const size = await sizeOrNull(files, path);
    const bytes = size === null || size > maxBytes ? null : await files.read(path);
    return bytes === null ? empty : note(JSON.parse(Buffer.from(bytes).toString()), path);
  } catch {
    return empty;
  }
}

/**
 * Changes a backup's note. Each backup has a file of its own, so that notes of different backups are never in each other's way.
 * @throws ReplantError REPLANT_USAGE when the label is none, or another backup has it
 */
export async function changeNote(
  files: Files,
  store: string,
  { id, change }: { readonly id: string; readonly change: Partial<BackupNote> },
): Promise<BackupNote> {
  if (change.label !== undefined && change.label !== null) await assertFree(files, store, { id, label: change.label });
  const changed = { ...(await readNote(files, store, id)), ...change };
  const text = JSON.stringify({ ...changed, damage: changed.damage === null ? null : printable(changed.damage) });
  await files.makeDirectory(join(store, notesName));
  await files.writeAtomic(notePath(store, id), Buffer.from(`${text}\n`));
  return changed;
}

export async function removeNote(files: Files, store: string, id: string): Promise<void> {
  await files.remove(notePath(store, id));
}

/** Ids of the backups with this label, newest first: one, unless two processes gave it at once. */
export async function idsByLabel(files: Files, store: string, label: string): Promise<string[]> {
  const ids: string[] = [];
  for (const id of await backupIds(files, store)) {
    if ((await readNote(files, store, id)).label === label) ids.push(id);
  }
  return ids;
}

async function assertFree(files: Files, store: string, { id, label }: { id: string; label: string }): Promise<void> {
  // What has no letter could be the beginning of an id.
  if (!/^(?=.*[a-z])[a-z0-9-]{1,40}$/.test(label) || label === "latest") {
    throw new ReplantError("REPLANT_USAGE", `${JSON.stringify(label.slice(0, 100))} cannot be a backup's label`, {
      why: "a label is made of 1 to 40 of a-z, 0-9 and -, has a letter in it, and is not `latest`",
      state: "nothing was changed",
      hint: "choose another one, such as before-import",
    });
  }
  const other = (await idsByLabel(files, store, label)).find((taken) => taken !== id);
  if (other === undefined) return;
  throw new ReplantError("REPLANT_USAGE", `another backup is called "${label}" already`, {
    where: other,
    state: "nothing was changed",
    hint: `take the label from it first: replant backup rename ${other}`,
  });
}

function notePath(store: string, id: string): string {
  return join(store, notesName, `${id}.json`);
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 500);
}
