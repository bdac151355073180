import type { Column, ImportedTable } from "@replant/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readDocument, textColumns, writeDocument } from "../src/json/index.ts";
import { encodeRow } from "../src/text/index.ts";
import { chunks, firstId, newStore, readAll, sampleManifest, samplePart, sampleTable } from "./sample.ts";

interface Read extends Pick<ImportedTable, "name" | "role" | "columns"> {
  readonly text: string;
}

async function read(...pieces: (string | Uint8Array)[]): Promise<Read[]> {
  const tables: Read[] = [];
  for await (const table of readDocument(chunks(...pieces))) {
    const { name, role, columns } = table;
    tables.push({ name, role, columns, text: (await readAll(table.rows())).toString() });
  }
  return tables;
}

const types = ["integer", "boolean", "bigint", "numeric", "text", "timestamp(6) with time zone", "jsonb", "integer[]"];
const names = ["id", "ok", "big", "sum", "__proto__", 'a"b', "doc", "list"];

function wideTable(name: string) {
  const [column] = sampleTable().columns as [Column];
  const columns = names.map((columnName, n) => ({
    ...column,
    name: columnName,
    type: types[n] ?? "",
    baseType: (types[n] ?? "").replace("(6)", ""),
    enumLabels: null,
  }));
  return { ...sampleTable(name), columns, keys: [], foreignKeys: [] };
}

const rows = [
  ["1", "t", "9007199254740993", "0.10", "NaN", "2026-11-20 09:41:02.123456+00", '{"a": 1.0}', "{1,NULL,3}"],
  ["-2147483648", "f", "-1", "NaN", 'tab\t nl\n \\N "q" \u2028', "infinity", "null", "{}"],
  [null, null, null, null, "", null, null, null],
];

async function written() {
  const { store } = newStore();
  const writer = await store.create(firstId);
  const part = { columns: names, table: wideTable("users") };
  await writer.add({ ...samplePart("t0001"), ...part }, chunks(rows.map(encodeRow).join("")));
  await writer.add({ ...samplePart("t0002"), ...part, table: wideTable("empty") }, chunks());
  await writer.add({ ...samplePart("t0003"), ...part, role: "context" }, chunks(encodeRow(rows[0] ?? [])));
  await writer.seal(sampleManifest(firstId));
  return store.open(firstId);
}

async function documentOf(): Promise<string> {
  let text = "";
  for await (const piece of writeDocument(await written())) text += piece;
  return text;
}

test("the document has JSON's own values where they are exact, and the server's text elsewhere", async () => {
  const document = JSON.parse(await documentOf());
  expect(Object.keys(document)).toEqual(["timestamp", "version", "tables", "context"]);
  expect(document).toMatchObject({ timestamp: "2026-11-20T09:41:02.123Z", version: "1.0" });
  expect(Object.keys(document.tables)).toEqual(["users", "empty"]);
  const [first, second, third] = document.tables.users.map((row: object) => Object.values(row));
  expect(first).toEqual([1, true, ...(rows[0] ?? []).slice(2)]);
  expect(second).toEqual([-2147483648, false, ...(rows[1] ?? []).slice(2)]);
  expect(third).toEqual(rows[2]);
});

test("the columns that are strings for exactness alone are named", async () => {
  expect(textColumns(await written())).toEqual(
    ["users", "empty"]
      .flatMap((table) => [
        `${table}.big (bigint)`,
        `${table}.sum (numeric)`,
        `${table}.doc (jsonb)`,
        `${table}.list (integer[])`,
      ])
      .toSpliced(2, 0, 'users.a"b (timestamp(6) with time zone)')
      .toSpliced(7, 0, 'empty.a"b (timestamp(6) with time zone)'),
  );
});

test("reading gives every value back, however the document is cut", async () => {
  const bytes = Buffer.from(await documentOf());
  const booleans = rows.map((row) => encodeRow(row.with(1, { t: "true", f: "false" }[row[1] ?? ""] ?? null)));
  for (const size of [1, 7, 4096]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    );
    expect(await read(...pieces)).toEqual([
      { name: "users", role: "kept", columns: names, text: booleans.join("") },
      { name: "empty", role: "kept", columns: null, text: "" },
      { name: "users", role: "context", columns: names, text: booleans[0] },
    ]);
  }
});

const head = '"version":"1.0","timestamp":"x"';

test("numbers keep their digits, lists and objects their JSON", async () => {
  const row = '{"a":12345678901234567890.10,"b":1e400,"c":{"n":[1.0,-0,"\\u00e4"]},"d":-0}';
  expect(await read(`{"tables":{"t":[${row}]},${head}}`)).toMatchObject([
    { columns: ["a", "b", "c", "d"], text: '12345678901234567890.10\t1e400\t{"n":[1.0,-0,"ä"]}\t-0\n' },
  ]);
});

test("any strings come through", async () => {
  const text = fc.string({ unit: "binary" }).map((value) => value.replaceAll("\0", ""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 5, minLength: 1 }),
      fc.integer({ min: 1, max: 5 }),
      async (values, size) => {
        const bytes = Buffer.from(`{"tables":{"t":${JSON.stringify(values.map((v) => ({ v })))}},${head}}`);
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
          bytes.subarray(n * size, (n + 1) * size),
        );
        expect(await read(...pieces)).toMatchObject([{ text: values.map((value) => encodeRow([value])).join("") }]);
      },
    ),
    { numRuns: 50 },
  );
});

test.each<[string, string]>([
  ["", '"{" was expected'],
  ["[]", '"{" was expected'],
  [`{${head}}`, 'it has no "tables"'],
  [`{"tables":{}}`, 'it has no "version"'],
  [`{"tables":{},"version":"2.0"}`, 'its version is "2.0"'],
  [`{"tables":{},"version":1.0}`, "its version is"],
  [`{"tables":{},"rows":1,${head}}`, 'nobody knows "rows"'],
  [`{"tables":{},"tables":{},${head}}`, '"tables" stands twice'],
  [`{"tables":[],${head}}`, '"{" was expected'],
  [`{"tables":{"t":{}},${head}}`, '"[" was expected'],
  [`{"tables":{"t":[1]},${head}}`, 'row 1 of "t" is not an object'],
  [`{"tables":{"t":[{"a":1},{"b":1}]},${head}}`, 'row 2 of "t" and its first row do not both have the column "a"'],
  [`{"tables":{"t":[{"a":1},{"a":1,"b":1}]},${head}}`, 'do not both have the column "b"'],
  [`{"tables":{"t":[{"a":1}`, '"," was expected'],
  [`{"tables":{"t":[{"a":`, "the document ends inside a value"],
  [`{"tables":{"t":[{"a":tru}]},${head}}`, "is not JSON"],
  [`{"tables":{"t":[{"a":"\\u0000"}]},${head}}`, "no database stores"],
  [`{"tables":{"t":[{"a":"\\ud800"}]},${head}}`, "no database stores"],
  [`{"tables":{},${head}} x`, "it goes on after its end"],
])("%s is refused", async (text, why) => {
  await expect(read(text)).rejects.toMatchObject({ code: "REPLANT_USAGE", message: expect.stringContaining(why) });
});

test("what is not UTF-8 is refused", async () => {
  await expect(read(`{"tables":{"t":[{"a":"`, new Uint8Array([0xff, 0x22]))).rejects.toThrow("not UTF-8");
});
