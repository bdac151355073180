import type { Files } from "@replant/core";
import { ReplantError } from "@replant/core";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode } from "./fs-error.ts";

const attempts = 50;
const pauseMs = 20;

/**
 * The project's own uuid, kept in `project.json` of the state directory and made on first use. Backups carry it, so that
 * one project's rows are not restored into another by mistake. Two processes that ask at once get the same one.
 * @throws ReplantError REPLANT_STORE_UNREADABLE when the file holds something else
 */
export async function projectId(options: { readonly directory: string; readonly files: Files }): Promise<string> {
  const { directory, files } = options;
  const path = join(directory, "project.json");
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await files.read(path);
    if (found === null) {
      await files.makeDirectory(directory);
      await createOnce(files, path);
    } else if (found.some((byte) => byte !== 0)) {
      return parseProject(path, found);
    } else {
      // Another process has made the file and not written it yet.
      await wait(pauseMs);
    }
  }
  // That process died in between, or the machine did and left zeros: nobody has ever read an id from this file.
  await files.writeAtomic(path, projectFile());
  return projectId(options);
}

async function createOnce(files: Files, path: string): Promise<void> {
  try {
    const file = await files.create(path);
    try {
      await file.write(projectFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

function projectFile(): Uint8Array {
  return Buffer.from(`${JSON.stringify({ id: randomUUID() })}\n`);
}

function parseProject(path: string, bytes: Uint8Array): string {
  const id = /^\s*\{\s*"id"\s*:\s*"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"\s*\}\s*$/.exec(
    Buffer.from(bytes).toString("latin1"),
  )?.[1];
  if (id !== undefined) return id;
  throw new ReplantError("REPLANT_STORE_UNREADABLE", `${path} does not hold the project's id`, {
    where: path,
    why: 'it must be {"id": "<uuid>"}; backups of this project are known by that id',
    hint: "put the id back; the manifest of any backup of this project names it as lineage.project",
  });
}
