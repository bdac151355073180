import type { ImportedTable } from "@replant/core";
import { encodeRow } from "../text/rows.ts";
import { createScanner, notADocument, type Scanner } from "./scanner.ts";
import { documentVersion } from "./write.ts";

/** COPY text is given out in pieces of about this many characters. */
const pieceLength = 64 * 1024;

/** JSON with numbers as they were written; every engine that this package supports has it, the standard library does not say so. */
const exactJson = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

type Row = ReadonlyMap<string, string | null>;

/**
 * The tables of a JSON document, one after the other: each one's rows have to be read before the next is asked for. `version`
 * may stand anywhere; members that nobody knows are refused. Strings are the server's text, numbers the digits that stand there,
 * lists and objects their JSON.
 * @throws ReplantError REPLANT_USAGE with the place
 */
export async function* readDocument(source: AsyncIterable<Uint8Array>): AsyncIterable<ImportedTable> {
  const scanner = createScanner(source);
  const seen = new Set<string>();
  for await (const member of members(scanner)) {
    if (seen.has(member)) throw notADocument(`"${member}" stands twice`);
    seen.add(member);
    if (member === "tables" || member === "context") {
      yield* readTables(scanner, member === "tables" ? "kept" : "context");
      continue;
    }
    const value = parse(await scanner.value(), member);
    if (member === "version" && value !== documentVersion) {
      throw notADocument(`its version is ${JSON.stringify(value)}, not "${documentVersion}"`);
    }
    if (member !== "version" && member !== "timestamp") throw notADocument(`nobody knows ${JSON.stringify(member)}`);
  }
  if ((await scanner.peek()) !== null) throw notADocument("it goes on after its end");
  const missing = ["version", "timestamp", "tables"].find((member) => !seen.has(member));
  if (missing !== undefined) throw notADocument(`it has no "${missing}"`);
}

async function* readTables(scanner: Scanner, role: ImportedTable["role"]): AsyncIterable<ImportedTable> {
  for await (const name of members(scanner)) {
    const rows = readRows(scanner, name);
    const first = await rows.next();
    const columns = first.done === true ? null : [...first.value.keys()];
    let read = false;
    yield {
      name,
      role,
      columns,
      rows: async function* copyText() {
        read = true;
        if (first.done !== true) yield* copyTextOf(name, first.value, rows);
      },
    };
    if (!read && first.done !== true) throw new Error(`the rows of ${name} were not read`);
  }
}

async function* copyTextOf(
  name: string,
  first: Row,
  rest: AsyncIterable<Row>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const columns = [...first.keys()];
  const lineOf = (row: Row): string => encodeRow(columns.map((column) => row.get(column) ?? null));
  let text = lineOf(first);
  let number = 1;
  for await (const row of rest) {
    number += 1;
    const odd = columns.find((column) => !row.has(column)) ?? [...row.keys()].find((column) => !first.has(column));
    if (odd !== undefined) {
      throw notADocument(`row ${number} of "${name}" and its first row do not both have the column "${odd}"`);
    }
    text += lineOf(row);
    if (text.length < pieceLength) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (text !== "") yield Buffer.from(text);
}

async function* readRows(scanner: Scanner, name: string): AsyncGenerator<Row, void, undefined> {
  await scanner.take("[");
  if ((await scanner.peek()) === "]") return scanner.take("]");
  for (let number = 1; ; number++) {
    yield rowOf(parse(await scanner.value(), name), `row ${number} of "${name}"`);
    if ((await scanner.peek()) === "]") return scanner.take("]");
    await scanner.take(",");
  }
}

/** The names in an object, each with its value still to be read by the caller. */
async function* members(scanner: Scanner): AsyncGenerator<string, void, undefined> {
  await scanner.take("{");
  if ((await scanner.peek()) === "}") return scanner.take("}");
  for (;;) {
    const name = parse(await scanner.value(), "a name");
    if (typeof name !== "string") throw notADocument("a name is not a string");
    await scanner.take(":");
    yield name;
    if ((await scanner.peek()) === "}") return scanner.take("}");
    await scanner.take(",");
  }
}

function parse(text: string, where: string): unknown {
  try {
    return exactJson.parse(text, (_key, value, { source }) =>
      typeof value === "number" && source !== undefined ? exactJson.rawJSON(source) : value,
    );
  } catch {
    throw notADocument(`what stands in "${where}" is not JSON`);
  }
}

function rowOf(value: unknown, where: string): Row {
  if (typeof value !== "object" || value === null || Array.isArray(value) || exactJson.isRawJSON(value)) {
    throw notADocument(`${where} is not an object`);
  }
  return new Map(Object.entries(value).map(([column, field]) => [column, textOf(field, `${where}, "${column}"`)]));
}

function textOf(value: unknown, where: string): string | null {
  if (value === null) return null;
  if (exactJson.isRawJSON(value)) return value.rawJSON;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.includes("\0") || !text.isWellFormed()) throw notADocument(`${where} holds what no database stores as text`);
  return text;
}
