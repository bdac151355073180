import { cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Target } from "./target.ts";
import { keptRows, preparedTarget } from "./target.ts";

async function prepared(): Promise<{ target: Target; folder: string; ids: string[] }> {
  const target = await preparedTarget("PostgreSQL 15");
  for (let n = 0; n < 2; n += 1) expect((await target.workspace.replant(["backup"])).code).toBe(0);
  const folder = join(target.workspace.directory, "backups");
  // The reset has written one too, of the empty database that it found.
  const ids = (await readdir(folder))
    .filter((name) => /^\d{4}-/.test(name))
    .sort()
    .slice(-2);
  return { target, folder, ids };
}

describe("backups", () => {
  test("are listed, private, and reachable by id, by a part of it, by path and as latest", async () => {
    const { target, folder, ids } = await prepared();
    expect(ids).toHaveLength(2);
    const [older = "", newer = ""] = ids;
    expect((await stat(join(folder, newer))).mode & 0o777).toBe(0o700);
    for (const name of await readdir(join(folder, newer))) {
      expect((await stat(join(folder, newer, name))).mode & 0o777, name).toBe(0o600);
      expect(name).toMatch(/^(manifest\.json|t\d{4}\..*)$/);
    }
    expect(JSON.parse(await readFile(join(folder, "latest-backup.json"), "utf8")).id).toBe(newer);
    const list = JSON.parse((await target.workspace.replant(["backups", "--json"])).stdout);
    expect(
      list.backups
        .slice(0, 2)
        .map((backup: { id: string; keptRows: number; latest: boolean }) => [
          backup.id,
          backup.keptRows,
          backup.latest,
        ]),
    ).toEqual([
      [newer, 39, true],
      [older, 39, false],
    ]);
    const before = await keptRows(target);
    for (const reference of [older, newer.slice(0, -1), `backups/${older}`, "latest", join(folder, newer)]) {
      await target.script("update users set first_name = 'changed'; delete from organization_services");
      const result = await target.workspace.replant(["restore", reference]);
      expect(result.code, `${reference}: ${result.stderr}`).toBe(0);
      expect(await keptRows(target), reference).toEqual(before);
    }
  });

  test.each<[string, string, (folder: string, id: string) => Promise<void>]>([
    [
      "truncated",
      "REPLANT_BACKUP_DAMAGED",
      (folder, id) => changePart(folder, id, (bytes) => bytes.subarray(0, bytes.length - 7)),
    ],
    ["with one flipped bit", "REPLANT_BACKUP_DAMAGED", (folder, id) => changePart(folder, id, flip)],
    [
      "edited by hand",
      "REPLANT_BACKUP_DAMAGED",
      (folder, id) => changeManifest(folder, id, (text) => text.replace('"rows":8', '"rows":7')),
    ],
    [
      "of a newer format",
      "REPLANT_BACKUP_NEWER",
      (folder, id) => changeManifest(folder, id, (text) => text.replace('"format":1', '"format":9')),
    ],
    [
      "of another project",
      "REPLANT_BACKUP_FOREIGN",
      (folder) => writeFile(join(folder, "../.replant/project.json"), '{"id":"00000000-0000-4000-8000-000000000000"}'),
    ],
  ])("one that is %s is refused before anything is touched", async (_case, code, damage) => {
    const { target, folder, ids } = await prepared();
    const [older = "", newer = ""] = ids;
    await damage(folder, newer);
    const before = await keptRows(target);
    const result = await target.workspace.replant(["restore", newer, "--json"]);
    expect([1, 3]).toContain(result.code);
    const { error } = JSON.parse(result.stdout);
    expect(error.code).toBe(code);
    expect(await keptRows(target)).toEqual(before);
    expect(await target.leftovers()).toEqual([]);
    if (code === "REPLANT_BACKUP_FOREIGN") return;
    // An older one is named, and works.
    expect([...(error.items ?? []), error.hint].join("\n")).toContain(older);
    expect((await target.workspace.replant(["restore", older])).code).toBe(0);
    expect(await keptRows(target)).toEqual(before);
  });

  test("one that does not exist is answered with those that do", async () => {
    const { target, ids } = await prepared();
    const result = await target.workspace.replant(["restore", "1999-nope", "--json"]);
    expect(result.code).toBe(64);
    const { error } = JSON.parse(result.stdout);
    expect(error.code).toBe("REPLANT_BACKUP_NOT_FOUND");
    for (const id of ids) expect(error.items.join("\n")).toContain(id);
  });

  test("a reset that cannot write its backup changes nothing", async () => {
    const { target, folder } = await prepared();
    const before = await keptRows(target);
    await cp(folder, `${folder}-moved`, { recursive: true });
    await target.workspace.remove("backups");
    await writeFile(folder, "a file where the directory was");
    const result = await target.workspace.replant(["reset", "--json"]);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout).error.state).toContain("NOT changed");
    expect(await keptRows(target)).toEqual(before);
    expect(await target.leftovers()).toEqual([]);
    await target.workspace.remove("backups");
    await mkdir(folder);
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
  });
});

async function changePart(folder: string, id: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const name = (await readdir(join(folder, id))).find((candidate) => candidate.startsWith("t0001"));
  const path = join(folder, id, name ?? "");
  await writeFile(path, change(await readFile(path)));
}

function flip(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

async function changeManifest(folder: string, id: string, change: (text: string) => string): Promise<void> {
  const path = join(folder, id, "manifest.json");
  const text = await readFile(path, "utf8");
  const changed = change(text.replaceAll(/": /g, '":'));
  expect(changed).not.toBe(text);
  await writeFile(path, changed);
}
