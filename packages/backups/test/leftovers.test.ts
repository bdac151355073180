import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseMark, processMark, processState, type ProcessMark } from "../src/disk/process-mark.ts";
import { firstId, newStore, secondId, temporaryDirectory } from "./sample.ts";

const [nextDay, soonAfter] = ["2026-11-21T09-41-02-124Z-0000", "2026-11-21T09-41-02-123Z-0000"];

test.skipIf(process.platform !== "linux")(
  "what a killed writer left is invisible and goes with the next backup, a living one's stays",
  async () => {
    const { store, directory } = newStore();
    const script = `
    const { diskStore } = await import(${JSON.stringify(new URL("../src/disk/index.ts", import.meta.url).href)});
    const { nodeFiles } = await import(${JSON.stringify(new URL("../../node/src/index.ts", import.meta.url).href)});
    await diskStore({ directory: ${JSON.stringify(directory)}, files: nodeFiles() }).create("${firstId}");
    process.kill(process.pid, "SIGKILL");`;
    expect(spawnSync(process.execPath, ["--input-type=module", "-e", script]).signal).toBe("SIGKILL");
    const living = await store.create(secondId);
    expect(readdirSync(directory)).toEqual([`.tmp-${secondId}`]);
    const third = await store.create("2036-11-20T09-41-02-123Z-a81f");
    expect(readdirSync(directory)).toEqual([`.tmp-${secondId}`, ".tmp-2036-11-20T09-41-02-123Z-a81f"]);
    expect(await store.list()).toEqual([]);
    await living.abort();
    await third.abort();
  },
);

test.each([
  ["no mark", null],
  ["a damaged mark", "{"],
  ["a mark of nobody", "null"],
  ["a mark of another machine", JSON.stringify({ boot: "other", space: "pid:[1]", pid: 1, started: "1" })],
])("a leftover with %s stays for a day", async (_, mark) => {
  const { store, directory } = newStore();
  const leftover = join(directory, `.tmp-${firstId}`);
  mkdirSync(leftover, { recursive: true });
  if (mark !== null) writeFileSync(join(leftover, "writer.json"), mark);
  await (await store.create(soonAfter)).abort();
  expect(readdirSync(directory)).toEqual([`.tmp-${firstId}`]);
  await (await store.create(nextDay)).abort();
  expect(readdirSync(directory)).toEqual([]);
});

test("no other name is removed, and no link is followed", async () => {
  const { store, directory } = newStore();
  const outside = temporaryDirectory();
  writeFileSync(join(outside, "file"), "kept");
  mkdirSync(directory);
  for (const name of [".tmp-x", `.tmp-${firstId}x`, `x.tmp-${firstId}`, `.TMP-${firstId}`])
    mkdirSync(join(directory, name));
  writeFileSync(join(directory, `.tmp-${secondId}`), "a file");
  symlinkSync(outside, join(directory, `.tmp-${firstId}`));
  const before = readdirSync(directory);
  await (await store.create(nextDay)).abort();
  expect(readdirSync(directory)).toEqual(before);
  expect(readFileSync(join(outside, "file"), "utf8")).toBe("kept");
});

/** A `/proc` of our own making. */
function fakeProc(
  processes: Readonly<Record<number, string>>,
  machine = { boot: "boot-1", space: "pid:[4026531836]" },
): string {
  const proc = temporaryDirectory();
  mkdirSync(join(proc, "sys/kernel/random"), { recursive: true });
  writeFileSync(join(proc, "sys/kernel/random/boot_id"), `${machine.boot}\n`);
  mkdirSync(join(proc, "self/ns"), { recursive: true });
  symlinkSync(machine.space, join(proc, "self/ns/pid"));
  for (const [pid, started] of Object.entries(processes)) {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, "stat"), `${pid} (a ) program)) S ${"1 ".repeat(18)}${started} 0 0\n`);
  }
  return proc;
}

const self = process.pid;
const mark: ProcessMark = { boot: "boot-1", space: "pid:[4026531836]", pid: 77, started: "5000" };

test("a process is known by machine, container, pid and start, so a pid that is used again is another process", async () => {
  expect(await processMark(77, fakeProc({ 77: "5000" }))).toEqual(mark);
  expect(await processState(mark, fakeProc({ [self]: "1", 77: "5000" }))).toBe("alive");
  expect(await processState(mark, fakeProc({ [self]: "1", 77: "9999" }))).toBe("dead");
  expect(await processState(mark, fakeProc({ [self]: "1" }))).toBe("dead");
  expect(await processState(mark, fakeProc({ [self]: "1" }, { boot: "boot-2", space: mark.space }))).toBe("unknown");
  expect(await processState(mark, fakeProc({ [self]: "1" }, { boot: mark.boot, space: "pid:[2]" }))).toBe("unknown");
  expect(await processState(mark, temporaryDirectory())).toBe("unknown");
  const torn = fakeProc({ [self]: "1", 77: "5000" });
  writeFileSync(join(torn, "77/stat"), "77 (x) S");
  expect(await processMark(77, torn)).toBeNull();
});

test.skipIf(process.platform !== "linux")("this process is alive", async () => {
  const own = await processMark(process.pid);
  expect(parseMark(Buffer.from(JSON.stringify(own)))).toEqual(own);
  expect(own).not.toBeNull();
  expect(await processState(own as ProcessMark)).toBe("alive");
});
