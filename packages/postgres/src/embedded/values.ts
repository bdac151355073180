/**
 * Values between PostgreSQL's text and JavaScript, as node-postgres has them, so that a seed sees the same on both engines:
 * bool, int2, int4, oid, float4, float8 and json become JavaScript values, dates become `Date`, arrays of known types
 * become arrays, bytea becomes a Buffer; int8, numeric and every other type stay text.
 */

type Parse = (text: string) => unknown;

const asNumber: Parse = (text) => Number(text);
const asText: Parse = (text) => text;
const asBoolean: Parse = (text) => text === "t";
const asJson: Parse = (text) => JSON.parse(text) as unknown;
const asBytes: Parse = (text) => Buffer.from(text.slice(2), "hex");

/** Sessions write ISO dates in UTC. Infinity and years that Date cannot hold stay text. */
const asInstant: Parse = (text) => toDate(text, text.replace(" ", "T"));
/** Without a zone a value means local time, as in node-postgres. */
const asLocalDate: Parse = (text) => toDate(text, `${text}T00:00:00`);

function toDate(text: string, iso: string): Date | string {
  const date = new Date(iso.replace(/([+-]\d\d)$/, "$1:00"));
  return Number.isNaN(date.getTime()) ? text : date;
}

/** By type OID: element parser, and the OID of the array type. OIDs of built-in types never change. */
const types: readonly (readonly [oid: number, array: number, parse: Parse])[] = [
  [16, 1000, asBoolean], // bool
  [17, 1001, asBytes], // bytea
  [20, 1016, asText], // int8
  [21, 1005, asNumber], // int2
  [23, 1007, asNumber], // int4
  [25, 1009, asText], // text
  [26, 1028, asNumber], // oid
  [114, 199, asJson], // json
  [700, 1021, asNumber], // float4
  [701, 1022, asNumber], // float8
  [1042, 1014, asText], // bpchar
  [1043, 1015, asText], // varchar
  [1082, 1182, asLocalDate], // date
  [1114, 1115, asInstant], // timestamp
  [1184, 1185, asInstant], // timestamptz
  [1700, 1231, asText], // numeric
  [2950, 2951, asText], // uuid
  [3802, 3807, asJson], // jsonb
];

const parsers = new Map<number, Parse>(
  types.flatMap(([oid, array, parse]) => [
    [oid, parse],
    [array, (text: string) => parseArray(text, parse)],
  ]),
);

/** One field of a row, by the OID of its type. */
export function fromText(oid: number, text: string | null): unknown {
  if (text === null) return null;
  return (parsers.get(oid) ?? asText)(text);
}

/** A parameter as text for the server to read; null is NULL. Objects are JSON, arrays are PostgreSQL arrays. */
export function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return `{${value.map(arrayElement).join(",")}}`;
  return typeof value === "number" || typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

function arrayElement(value: unknown): string {
  if (Array.isArray(value)) return toText(value) ?? "NULL";
  const text = toText(value);
  return text === null ? "NULL" : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Reads `{a,"b",NULL,{c}}`; a dimension prefix such as `[0:1]=` is skipped. */
function parseArray(text: string, parse: Parse): unknown[] {
  let at = text.indexOf("{") + 1;
  const read = (): unknown[] => {
    const items: unknown[] = [];
    while (text[at] !== "}") {
      if (text[at] === ",") at += 1;
      else if (text[at] === "{") {
        at += 1;
        items.push(read());
      } else if (text[at] === '"') items.push(parse(quoted()));
      else items.push(bare());
    }
    at += 1;
    return items;
  };
  const quoted = (): string => {
    let value = "";
    for (at += 1; text[at] !== '"'; at += 1) {
      if (text[at] === "\\") at += 1;
      value += text[at] ?? "";
    }
    at += 1;
    return value;
  };
  const bare = (): unknown => {
    const end = text.slice(at).search(/[,}]/) + at;
    const value = text.slice(at, end);
    at = end;
    return value === "NULL" ? null : parse(value);
  };
  return read();
}
