import type { Files } from "@replant/core";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The content of every file below a directory, by path. */
export function imageOf(directory: string): Map<string, Buffer> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => join(directory, name));
  return new Map(paths.filter((path) => statSync(path).isFile()).map((path) => [path, readFileSync(path)]));
}

/** Files of an image in memory, so that thousands of changed backups are read in seconds. Every attempt to write is an error. */
export function readOnlyFiles(image: ReadonlyMap<string, Buffer>): Files {
  const content = (path: string): Buffer => {
    const bytes = image.get(join(path));
    if (bytes === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    return bytes;
  };
  const refuse = async (path: string): Promise<never> => {
    throw new TypeError(`a reader wrote ${path}`);
  };
  return {
    read: async (path) => image.get(join(path)) ?? null,
    stream: async function* stream(path, { offset, lengthBytes } = { offset: 0, lengthBytes: Infinity }) {
      yield content(path).subarray(offset, offset + lengthBytes);
    },
    sizeBytes: async (path) => content(path).length,
    list: async (path) => {
      const below = [...image.keys()].filter((file) => file.startsWith(`${join(path)}/`));
      const names = below.map((file) => file.slice(join(path).length + 1).split("/")[0] ?? "");
      const kind = (name: string) => (image.has(join(path, name)) ? "file" : "directory");
      return [...new Set(names)].toSorted().map((name) => ({ name, kind: kind(name) }));
    },
    writeAtomic: refuse,
    append: refuse,
    create: refuse,
    makeDirectory: refuse,
    rename: refuse,
    remove: refuse,
  };
}
