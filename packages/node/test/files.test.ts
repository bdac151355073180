import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { translated } from "../src/fs-error.ts";
import { nodeFiles } from "../src/index.ts";
import { writeAll } from "../src/write-all.ts";
import { temporaryDirectory } from "./directory.ts";

const files = nodeFiles();
const text = (value: string): Uint8Array => Buffer.from(value);
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

test("writes, reads, appends, streams and measures a file", async () => {
  const path = join(temporaryDirectory(), "file");
  expect(await files.read(path)).toBeNull();
  await files.writeAtomic(path, text("one"));
  await files.writeAtomic(path, text("two\n"));
  await files.append(path, text("three\n"));
  expect(readFileSync(path, "utf8")).toBe("two\nthree\n");
  expect(Buffer.from((await files.read(path)) ?? []).toString()).toBe("two\nthree\n");
  expect((await collect(files.stream(path))).toString()).toBe("two\nthree\n");
  expect(await files.sizeBytes(path)).toBe(10);
});

test("streams a file of many chunks in the memory of one, and leaves nothing open when the reader stops early", async () => {
  const path = join(temporaryDirectory(), "large");
  const bytes = Buffer.alloc(3_000_001, "0123456789");
  writeFileSync(path, bytes);
  expect((await collect(files.stream(path))).equals(bytes)).toBe(true);
  const memory = new Set<ArrayBufferLike>();
  for await (const chunk of files.stream(path)) memory.add(chunk.buffer);
  expect(memory.size).toBe(1);
  const openBefore = existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
  for await (const chunk of files.stream(path)) {
    expect(chunk.length).toBeLessThan(1024 * 1024);
    break;
  }
  expect(existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0).toBe(openBefore);
});

test.each([0o000, 0o022, 0o777])("modes are 0600 and 0700 under umask %o", async (umask) => {
  const root = temporaryDirectory();
  // A worker thread may not set its umask, so the files are made by a process of their own.
  const script = `
    process.umask(${umask});
    const { nodeFiles } = await import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)});
    const files = nodeFiles();
    await files.makeDirectory("a/b/c");
    await files.writeAtomic("a/b/atomic", Buffer.from("x"));
    await files.append("a/b/appended", Buffer.from("x"));
    const made = await files.create("a/b/created");
    await made.close();`;
  execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root });
  for (const directory of ["a", "a/b", "a/b/c"]) expect(mode(join(root, directory))).toBe("700");
  for (const name of ["atomic", "appended", "created"]) expect(mode(join(root, "a/b", name))).toBe("600");
});

test("an existing directory keeps its mode, and a file in the way is named", async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, "shared"));
  const before = mode(join(root, "shared"));
  await files.makeDirectory(join(root, "shared"));
  expect(mode(join(root, "shared"))).toBe(before);
  writeFileSync(join(root, "file"), "");
  for (const path of [join(root, "file"), join(root, "file", "below")]) {
    await expect(files.makeDirectory(path)).rejects.toMatchObject({ code: "REPLANT_STORE_UNREADABLE" });
  }
});

test("a symbolic link is neither read nor appended to, and is replaced rather than followed", async () => {
  const root = temporaryDirectory();
  const [target, link] = [join(root, "target"), join(root, "link")];
  writeFileSync(target, "theirs");
  symlinkSync(target, link);
  const refused = { code: "REPLANT_STORE_UNREADABLE", details: { where: link } };
  await expect(files.read(link)).rejects.toMatchObject(refused);
  await expect(collect(files.stream(link))).rejects.toMatchObject(refused);
  await expect(files.append(link, text("ours"))).rejects.toMatchObject(refused);
  await expect(files.create(link)).rejects.toMatchObject({ code: "EEXIST" });
  await files.writeAtomic(link, text("ours"));
  expect(readFileSync(target, "utf8")).toBe("theirs");
  expect(readFileSync(link, "utf8")).toBe("ours");
  symlinkSync(join(root, "nowhere"), join(root, "dangling"));
  await expect(files.append(join(root, "dangling"), text("x"))).rejects.toMatchObject({
    code: "REPLANT_STORE_UNREADABLE",
  });
  expect(existsSync(join(root, "nowhere"))).toBe(false);
});

test("removes a link, not what it points at", async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, "theirs"));
  writeFileSync(join(root, "theirs", "file"), "kept");
  symlinkSync(join(root, "theirs"), join(root, "link"));
  await files.remove(join(root, "link"));
  expect(existsSync(join(root, "link"))).toBe(false);
  expect(readFileSync(join(root, "theirs", "file"), "utf8")).toBe("kept");
  await files.remove(join(root, "absent"));
});

test.skipIf(process.platform === "win32")(
  "a directory or a pipe is no file, and nobody waits for the pipe",
  async () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, "directory"));
    execFileSync("sh", ["-c", `mkfifo "$0"`, join(root, "pipe")]);
    for (const name of ["directory", "pipe"]) {
      await expect(files.read(join(root, name))).rejects.toMatchObject({ code: "REPLANT_STORE_UNREADABLE" });
      await expect(files.append(join(root, name), text("x"))).rejects.toMatchObject({
        code: "REPLANT_STORE_UNREADABLE",
      });
    }
  },
);

test("lists names in order with their kind; an absent directory is empty, a file is none", async () => {
  const root = temporaryDirectory();
  writeFileSync(join(root, "b"), "");
  mkdirSync(join(root, "a"));
  symlinkSync(join(root, "a"), join(root, "c"));
  expect(await files.list(root)).toEqual([
    { name: "a", kind: "directory" },
    { name: "b", kind: "file" },
    { name: "c", kind: "other" },
  ]);
  expect(await files.list(join(root, "absent"))).toEqual([]);
  await expect(files.list(join(root, "b"))).rejects.toMatchObject({ code: "REPLANT_STORE_UNREADABLE" });
  expect(await files.read(join(root, "b", "below"))).toBeNull();
});

test("create and rename never replace what is there", async () => {
  const root = temporaryDirectory();
  const writer = await files.create(join(root, "new"));
  await writer.write(text("new"));
  await writer.close();
  await expect(files.create(join(root, "new"))).rejects.toMatchObject({ code: "EEXIST" });
  writeFileSync(join(root, "other"), "other");
  await expect(files.rename(join(root, "new"), join(root, "other"))).rejects.toMatchObject({ code: "EEXIST" });
  mkdirSync(join(root, "full"));
  mkdirSync(join(root, "from"));
  writeFileSync(join(root, "full", "file"), "");
  await expect(files.rename(join(root, "from"), join(root, "full"))).rejects.toThrow(/ENOTEMPTY|EEXIST/);
  await files.rename(join(root, "from"), join(root, "to"));
  expect(existsSync(join(root, "to"))).toBe(true);
});

test("every byte is written although each write is short, and a file that takes nothing is an error", async () => {
  const written: number[] = [];
  await writeAll(
    {
      write: async (bytes, offset, length) => {
        const bytesWritten = Math.min(length, 1 + (offset % 3));
        written.push(...bytes.subarray(offset, offset + bytesWritten));
        return { bytesWritten };
      },
    },
    text("the whole text"),
  );
  expect(Buffer.from(written).toString()).toBe("the whole text");
  await expect(writeAll({ write: async () => ({ bytesWritten: 0 }) }, text("x"))).rejects.toThrow("0 of 1 bytes");
});

test.skipIf(process.platform === "win32")(
  "a write that the system cuts short leaves the old file and no temporary one",
  () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, "latest"), "old");
    // The limit lets a first part of the write through without an error, as a nearly full disk does.
    const script = `
    const { nodeFiles } = await import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)});
    process.on("SIGXFSZ", () => {});
    try { await nodeFiles().writeAtomic("latest", Buffer.alloc(5_000_000)); console.log("written"); }
    catch (error) { console.log(error.code); }`;
    const command = `ulimit -f 256 && exec "$0" --input-type=module -e "$1"`;
    const child = spawnSync("sh", ["-c", command, process.execPath, script], { cwd: root, encoding: "utf8" });
    expect(child.stdout.trim()).toBe("REPLANT_DISK_FULL");
    expect(readFileSync(join(root, "latest"), "utf8")).toBe("old");
    expect(readdirSync(root)).toEqual(["latest"]);
  },
);

test.skipIf(!existsSync("/dev/full"))("a full device is REPLANT_DISK_FULL with the path", async () => {
  const device = await open("/dev/full", "w");
  onTestFinished(() => device.close());
  await expect(translated("/dev/full", () => writeAll(device, text("x")))).rejects.toMatchObject({
    code: "REPLANT_DISK_FULL",
    message: "no space to write /dev/full",
  });
});

test.each([
  ["EDQUOT", "REPLANT_DISK_FULL"],
  ["EACCES", "REPLANT_STORE_UNREADABLE"],
  ["EROFS", "REPLANT_STORE_UNREADABLE"],
  ["EIO", "EIO"],
])("%s becomes %s", async (code, ours) => {
  const fail = (): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));
  await expect(translated("/some/path", fail)).rejects.toMatchObject({ code: ours });
});

test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
  "a directory without permission is named",
  async () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, "closed"), { mode: 0o500 });
    await expect(files.writeAtomic(join(root, "closed", "file"), text("x"))).rejects.toMatchObject({
      code: "REPLANT_STORE_UNREADABLE",
      details: { where: join(root, "closed", "file") },
    });
  },
);
