import type { SqlSession } from "@replant/core";
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { scratchMount, type Instance } from "./instance.ts";
import { loadPglite } from "./pglite.ts";
import { fromText, toText } from "./values.ts";

/** `COPY … TO STDOUT` or `FROM STDIN` with its options behind; nothing else can stand at the end of the statement. */
const copyPattern = /^(\s*copy\b[\s\S]*)\b(to\s+stdout|from\s+stdin)\b(\s*(?:with\s*)?(?:\([^()]*\))?\s*;?\s*)$/i;

const copyRefused = "COPY FROM STDIN has no input here; use the session's copyIn";

interface RowDescription {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}
interface DataRow {
  readonly fields: readonly (string | null)[];
}

/**
 * Makes a session of a running instance. `onClose` gets the instance back, at most once.
 * COPY goes through a file of the host beside the data directory: PGlite would otherwise hold all of it in memory.
 */
export async function instanceSession(
  instance: Instance,
  database: string,
  onClose: () => Promise<void>,
): Promise<SqlSession> {
  const { serialize } = await loadPglite();
  let closed = false;

  const send = async (messages: Uint8Array[]): Promise<readonly { readonly name: string }[]> => {
    if (closed) throw new Error(`the session of ${database} is closed`);
    try {
      return (await instance.pg.execProtocol(Buffer.concat(messages))).messages;
    } finally {
      const failure = instance.failure();
      // oxlint-disable-next-line no-unsafe-finally -- whatever the engine answered after a failed fsync is not true
      if (failure !== null) throw failure;
    }
  };
  // The engine dies when it waits for COPY data that nobody sends. Where no COPY is open it ignores this message.
  const noCopy = serialize.copyFail(copyRefused);

  const copy = async (sql: string, direction: "to" | "from", file: string): Promise<number> => {
    const messages = await send([serialize.query(copyStatement(sql, direction, `${scratchMount}/${file}`)), noCopy]);
    const tag = messages.filter(isNamed("commandComplete")).at(-1);
    return tag !== undefined && "text" in tag ? Number(String(tag.text).split(" ").at(-1)) : 0;
  };

  return {
    database,
    async query<Row extends object>(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
      const messages = await send([
        serialize.parse({ text: sql }),
        serialize.bind({ values: params.map(toText) }),
        serialize.describe({ type: "P" }),
        serialize.execute(),
        noCopy,
        serialize.sync(),
      ]);
      return readRows(messages) as Row[];
    },
    async script(sql) {
      await send([serialize.query(sql), noCopy]);
    },
    async *copyOut(sql) {
      const file = randomUUID();
      const path = join(instance.scratch, file);
      try {
        await copy(sql, "to", file);
        yield* createReadStream(path, { highWaterMark: 256 * 1024 });
      } finally {
        await rm(path, { force: true });
      }
    },
    async copyIn(sql, bytes) {
      const file = randomUUID();
      const path = join(instance.scratch, file);
      try {
        await writeStream(path, bytes);
        return await copy(sql, "from", file);
      } finally {
        await rm(path, { force: true });
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await onClose();
    },
  };
}

function isNamed(name: string): (message: { readonly name: string }) => boolean {
  return (message) => message.name === name;
}

/** Rows of the last result, in the shape that node-postgres gives. */
function readRows(messages: readonly { readonly name: string }[]): Record<string, unknown>[] {
  const description = messages.find(isNamed("rowDescription")) as RowDescription | undefined;
  if (description === undefined) return [];
  return (messages.filter(isNamed("dataRow")) as unknown as DataRow[]).map((row) =>
    Object.fromEntries(
      description.fields.map((field, index) => [field.name, fromText(field.dataTypeID, row.fields[index] ?? null)]),
    ),
  );
}

/** The same COPY with a file in the place of the client. The path is of our own making and needs no quoting. */
function copyStatement(sql: string, direction: "to" | "from", path: string): string {
  const parts = copyPattern.exec(sql);
  if (parts === null || !parts[2]?.toLowerCase().startsWith(direction)) {
    throw new Error(`not a COPY ${direction === "to" ? "TO STDOUT" : "FROM STDIN"} statement: ${sql}`);
  }
  return `${parts[1]}${direction} '${path}'${parts[3]}`;
}

async function writeStream(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    // `writeFile` goes on until every byte is written; a single write may be short.
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}
