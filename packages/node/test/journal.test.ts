import type { ChainState, JournalRecord } from "@replant/core";
import { appendFileSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeFiles, openJournal } from "../src/index.ts";
import { temporaryDirectory } from "./directory.ts";

const files = nodeFiles();
const at = "2026-11-20T09:41:02.123Z";
const [older, newer] = ["20261120T094102123Z-a81f", "20261120T094102124Z-0001"];
const begin: JournalRecord = { type: "begin", at, command: "reset", live: "app", liveId: "16384", planHash: null };
const step = (name: string): JournalRecord => ({ type: "step-begin", at, step: name });
const pathOf = (directory: string, run: string): string => join(directory, "runs", run, "journal.ndjson");

test("keeps every kind of record of every run, newest run first", async () => {
  const directory = temporaryDirectory();
  const records: JournalRecord[] = [
    begin,
    step("swap"),
    { type: "database", at, role: "candidate", name: "app_next", id: "7" },
    { type: "backup", at, backup: "2026-11-20T09-41-02-123Z-a81f" },
    { type: "swap", at, liveId: null, candidateId: "7" },
    { type: "step-end", at, step: "swap" },
    { type: "end", at, result: "failed", code: "REPLANT_SWAP_FAILED", message: "it\nfailed", summary: { rows: 39 } },
    { type: "end", at, result: "ok", code: null, message: null, summary: null },
    { type: "recovered", at, by: newer, outcome: "nothing-changed", dropped: ["app_next"] },
  ];
  const journal = openJournal({ directory, files });
  for (const record of records) await journal.append(older, record);
  await journal.append(newer, begin);
  const again = openJournal({ directory, files });
  expect(await again.runs(10)).toEqual([
    { run: newer, records: [begin] },
    { run: older, records },
  ]);
  expect(await again.runs(1)).toEqual([{ run: newer, records: [begin] }]);
  expect(readFileSync(pathOf(directory, older), "utf8").split("\n")).toHaveLength(records.length + 1);
});

test("a line torn at any byte is ignored, and the next append leaves only whole lines", async () => {
  const directory = temporaryDirectory();
  const journal = openJournal({ directory, files });
  await journal.append(older, begin);
  await journal.append(older, step("backup"));
  const path = pathOf(directory, older);
  const whole = readFileSync(path);
  const firstLine = whole.indexOf(10) + 1;
  for (let length = firstLine; length < whole.length; length += 7) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const later = openJournal({ directory, files });
    expect(await later.runs(1)).toEqual([{ run: older, records: [begin] }]);
    await later.append(older, step("carry"));
    expect(await later.runs(1)).toEqual([{ run: older, records: [begin, step("carry")] }]);
  }
});

test("a last line of zeros, as a power loss leaves it, is torn too", async () => {
  const directory = temporaryDirectory();
  const journal = openJournal({ directory, files });
  await journal.append(older, begin);
  appendFileSync(pathOf(directory, older), Buffer.concat([Buffer.alloc(64), Buffer.from("\n")]));
  expect(await openJournal({ directory, files }).runs(1)).toEqual([{ run: older, records: [begin] }]);
});

test("after an append that failed half-way, the same journal goes on with whole lines", async () => {
  const directory = temporaryDirectory();
  let failing = false;
  const journal = openJournal({
    directory,
    files: {
      ...files,
      append: async (path, bytes) => {
        if (!failing) return files.append(path, bytes);
        await files.append(path, bytes.subarray(0, 9));
        throw new Error("the disk went away");
      },
    },
  });
  await journal.append(older, begin);
  failing = true;
  await expect(journal.append(older, step("backup"))).rejects.toThrow("the disk went away");
  failing = false;
  await journal.append(older, step("carry"));
  expect(await journal.runs(1)).toEqual([{ run: older, records: [begin, step("carry")] }]);
});

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["no type", `{"at":"${at}"}`],
  ["a type of Object's own", `{"type":"constructor","at":"${at}"}`],
  ["half a record", `{"type":"swap","at":"${at}","liveId":null}`],
])("a line before the last that is %s is damage, with its place", async (_, line) => {
  const directory = temporaryDirectory();
  const journal = openJournal({ directory, files });
  await journal.append(older, begin);
  appendFileSync(pathOf(directory, older), `${line}\n${JSON.stringify(begin)}\n`);
  await expect(journal.runs(1)).rejects.toMatchObject({
    code: "REPLANT_STORE_UNREADABLE",
    details: { where: `${pathOf(directory, older)}:2` },
  });
});

test.each(["", "..", "../escape", "a/b", "a\\b", "-a", "a\0b", "a.b", "x".repeat(101)])(
  "%j is no run, and nothing is written for it",
  async (run) => {
    const directory = temporaryDirectory();
    await expect(openJournal({ directory, files }).append(run, begin)).rejects.toThrow("is no run id");
    expect(readdirSync(directory)).toEqual([]);
  },
);

test("foreign names and empty runs are no runs; prune keeps the newest", async () => {
  const directory = temporaryDirectory();
  const journal = openJournal({ directory, files });
  expect(await journal.runs(5)).toEqual([]);
  await journal.append(older, begin);
  await journal.append(newer, begin);
  mkdirSync(join(directory, "runs", "not.ours"));
  mkdirSync(join(directory, "runs", "20991120T094102124Z-0001"));
  writeFileSync(join(directory, "runs", "file"), "");
  expect((await journal.runs(1)).map(({ run }) => run)).toEqual([newer]);
  await journal.prune(2);
  expect(readdirSync(join(directory, "runs"))).toEqual([newer, "20991120T094102124Z-0001", "file", "not.ours"]);
});

test("the chain is kept between processes, ended by null, and nothing else is a chain", async () => {
  const directory = temporaryDirectory();
  const journal = openJournal({ directory, files });
  const chain: ChainState = { run: older, live: "app", tasks: ["backup", "reset"], backup: "b", candidate: null };
  expect(await journal.readChain()).toBeNull();
  await journal.writeChain(chain);
  expect(await openJournal({ directory, files }).readChain()).toEqual(chain);
  const built: ChainState = { ...chain, candidate: { name: "app_next", id: "7" } };
  await journal.writeChain(built);
  expect(await journal.readChain()).toEqual(built);
  for (const wrong of [
    { run: 1 },
    { tasks: ["restore"] },
    { tasks: [1] },
    { candidate: 1 },
    { candidate: { name: "x" } },
  ]) {
    writeFileSync(join(directory, "chain.json"), JSON.stringify({ ...built, ...wrong }));
    expect(await journal.readChain()).toBeNull();
  }
  await journal.writeChain(null);
  await journal.writeChain(null);
  expect(readdirSync(directory)).toEqual([]);
});
