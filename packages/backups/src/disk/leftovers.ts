import type { Files } from "@replant/core";
import { join } from "node:path";
import { backupTimeMs } from "@replant/core";
import { temporaryId, writerName } from "./layout.ts";
import { parseMark, processState } from "./process-mark.ts";

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Removes what writers left that died: temporary directories whose process is certainly gone, and those older than a day
 * whose process cannot be asked. A directory of a living process stays, and so does every name that is not exactly ours.
 * @param id the backup that is about to be written; its time is now
 */
export async function removeLeftovers(files: Files, directory: string, id: string): Promise<void> {
  for (const { name, kind } of await files.list(directory)) {
    const leftover = kind === "directory" ? temporaryId(name) : null;
    if (leftover === null) continue;
    const mark = await files.read(join(directory, name, writerName));
    const written = mark === null ? null : parseMark(mark);
    const state = written === null ? "unknown" : await processState(written);
    const old = backupTimeMs(id) - backupTimeMs(leftover) > dayMs;
    if (state === "dead" || (state === "unknown" && old)) await files.remove(join(directory, name));
  }
}
