import type { ChainState, Files, Journal, JournalRecord, RunJournal } from "@replant/core";
import { ReplantError } from "@replant/core";
import { join } from "node:path";
import { parseChain, parseRecord } from "./records.ts";

const runName = /^[0-9A-Za-z]([0-9A-Za-z-]{0,98}[0-9A-Za-z])?$/;

/**
 * The journal in the project's state directory: `runs/<run>/journal.ndjson`, one JSON object per line, each durable
 * before `append` returns, and `chain.json` for the open chain.
 *
 * A line that was torn by a crash is dropped by the next append of that run, so that a torn line is always the last one.
 * @throws ReplantError REPLANT_STORE_UNREADABLE when a line before the last is no record: that is not a crash but damage
 */
export function openJournal(options: { readonly directory: string; readonly files: Files }): Journal {
  const { files, directory } = options;
  const runs = join(directory, "runs");
  const chain = join(directory, "chain.json");
  const whole = new Set<string>();

  const pathOf = (run: string): string => join(runs, run, "journal.ndjson");
  const names = async (): Promise<string[]> =>
    (await files.list(runs))
      .filter(({ name, kind }) => kind === "directory" && runName.test(name))
      .map(({ name }) => name)
      .toReversed();

  return {
    append: async (run, record) => {
      if (!runName.test(run)) throw new Error(`${JSON.stringify(run)} is no run id`);
      if (!whole.has(run)) await makeWhole(files, join(runs, run), pathOf(run));
      // Until this append is through, the file may end in half a line again.
      whole.delete(run);
      await files.append(pathOf(run), Buffer.from(`${JSON.stringify(record)}\n`));
      whole.add(run);
    },
    runs: async (limit) => {
      const found: RunJournal[] = [];
      for (const run of await names()) {
        if (found.length >= limit) break;
        const bytes = await files.read(pathOf(run));
        const records = bytes === null ? [] : parseJournal(pathOf(run), bytes).records;
        // A run that died before its first line has nothing to tell.
        if (records.length > 0) found.push({ run, records });
      }
      return found;
    },
    readChain: async () => {
      const bytes = await files.read(chain);
      return bytes === null ? null : parseChain(Buffer.from(bytes).toString());
    },
    writeChain: (state: ChainState | null) =>
      state === null ? files.remove(chain) : files.writeAtomic(chain, Buffer.from(`${JSON.stringify(state)}\n`)),
    prune: async (keep) => {
      for (const run of (await names()).slice(keep)) await files.remove(join(runs, run));
    },
  };
}

/** Makes the run's directory, and cuts off what a crash left after the last whole line. */
async function makeWhole(files: Files, directory: string, path: string): Promise<void> {
  await files.makeDirectory(directory);
  const bytes = await files.read(path);
  if (bytes === null) return;
  const { wholeBytes } = parseJournal(path, bytes);
  if (wholeBytes < bytes.length) await files.writeAtomic(path, bytes.subarray(0, wholeBytes));
}

function parseJournal(path: string, bytes: Uint8Array): { records: JournalRecord[]; wholeBytes: number } {
  const records: JournalRecord[] = [];
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    const record = newline === -1 ? null : parseRecord(Buffer.from(bytes.subarray(start, newline)).toString());
    if (record === null) {
      if (end < bytes.length) throw damagedLine(path, records.length + 1);
      break;
    }
    records.push(record);
    start = end;
  }
  return { records, wholeBytes: start };
}

function damagedLine(path: string, line: number): ReplantError {
  return new ReplantError("REPLANT_STORE_UNREADABLE", `line ${line} of a run's journal is not a record`, {
    where: `${path}:${line}`,
    why: "a crash can only tear the last line, so this file was changed or the disk lost a part of it",
    hint: "if no run is going on, move the directory of that run away and run the command again",
  });
}
