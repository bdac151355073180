import type { TableName } from "@replant/core";
import { ReplantError } from "@replant/core";

/** Quotes an identifier for SQL text. Names come from a mapping and from the catalog: they are data. */
export function quoteIdent(name: string): string {
  if (name === "" || name.includes("\0")) {
    throw new ReplantError("REPLANT_NAME_INVALID", `"${name.replaceAll("\0", "\\0")}" is not a name`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable({ schema, name }: TableName): string {
  return `${quoteIdent(schema)}.${quoteIdent(name)}`;
}
