import { ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import type { ColumnType, ResultValue } from "@prisma/driver-adapter-utils";
import { types } from "pg";

/** How one server type is told to the engine: its column type, and its text as the value the engine expects. */
export interface ValueType {
  readonly column: ColumnType;
  readonly parse: (text: string) => ResultValue;
}

const asIs = (text: string): ResultValue => text;
const isTrue = (text: string): ResultValue => text === "t";
const toNumber = (text: string): ResultValue => Number(text);
/** `2025-01-02 03:04:05.6+00` in RFC 3339, which the engine parses. */
const toInstant = (text: string): ResultValue => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
const toBytes = (text: string): ResultValue => new Uint8Array(Buffer.from(text.slice(2), "hex"));

const TEXT_ARRAY_OID = 1009;
// The declared parameter lists OIDs of scalars only.
const splitArray = (types.getTypeParser as (oid: number) => (text: string) => (string | null)[])(TEXT_ARRAY_OID);
const each = (parse: ValueType["parse"]) => (text: string) =>
  splitArray(text).map((item) => (item === null ? null : parse(item)));

const byOid = new Map<number, ValueType>([
  [16, { column: ColumnTypeEnum.Boolean, parse: isTrue }],
  [17, { column: ColumnTypeEnum.Bytes, parse: toBytes }],
  // "char" of the catalogs: what Prisma's own adapter for pg refuses.
  [18, { column: ColumnTypeEnum.Character, parse: asIs }],
  [20, { column: ColumnTypeEnum.Int64, parse: asIs }],
  [21, { column: ColumnTypeEnum.Int32, parse: toNumber }],
  [23, { column: ColumnTypeEnum.Int32, parse: toNumber }],
  [26, { column: ColumnTypeEnum.Int64, parse: asIs }],
  [114, { column: ColumnTypeEnum.Json, parse: asIs }],
  [700, { column: ColumnTypeEnum.Float, parse: toNumber }],
  [701, { column: ColumnTypeEnum.Double, parse: toNumber }],
  [1000, { column: ColumnTypeEnum.BooleanArray, parse: each(isTrue) }],
  [1002, { column: ColumnTypeEnum.CharacterArray, parse: each(asIs) }],
  [1003, { column: ColumnTypeEnum.TextArray, parse: each(asIs) }],
  [1005, { column: ColumnTypeEnum.Int32Array, parse: each(toNumber) }],
  [1007, { column: ColumnTypeEnum.Int32Array, parse: each(toNumber) }],
  [TEXT_ARRAY_OID, { column: ColumnTypeEnum.TextArray, parse: each(asIs) }],
  [1015, { column: ColumnTypeEnum.TextArray, parse: each(asIs) }],
  [1016, { column: ColumnTypeEnum.Int64Array, parse: each(asIs) }],
  [1028, { column: ColumnTypeEnum.Int64Array, parse: each(asIs) }],
  [1082, { column: ColumnTypeEnum.Date, parse: asIs }],
  [1184, { column: ColumnTypeEnum.DateTime, parse: toInstant }],
  [1700, { column: ColumnTypeEnum.Numeric, parse: asIs }],
  [2950, { column: ColumnTypeEnum.Uuid, parse: asIs }],
  [3802, { column: ColumnTypeEnum.Json, parse: asIs }],
]);

const text: ValueType = { column: ColumnTypeEnum.Text, parse: asIs };

/** The type of an OID; whatever the engine's catalog queries do not need apart is text. */
export function valueType(oid: number): ValueType {
  return byOid.get(oid) ?? text;
}
