import type { Table, TableName } from "@replant/core";
import { ReplantError } from "@replant/core";

/** Quotes an identifier for SQL text. Names are data: every name that reaches SQL goes through here. */
export function quoteIdent(name: string): string {
  if (name === "" || name.includes("\0")) {
    throw new ReplantError("REPLANT_NAME_INVALID", `"${name.replaceAll("\0", "\\0")}" is not a name`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a string literal; right with either setting of `standard_conforming_strings`. */
export function quoteLiteral(text: string): string {
  const escaped = text.replaceAll("'", "''");
  return text.includes("\\") ? ` E'${escaped.replaceAll("\\", "\\\\")}'` : `'${escaped}'`;
}

export function quoteTable(table: TableName): string {
  return `${quoteIdent(table.schema)}.${quoteIdent(table.name)}`;
}

/** A table where its rows are read or changed: without those of tables that inherit from it and are listed themselves. */
export function ownRows(table: Pick<Table, "schema" | "name" | "hasChildren">): string {
  return table.hasChildren === true ? `only ${quoteTable(table)}` : quoteTable(table);
}

/** `"a", "b"`, each with an alias in front when one is given. */
export function columnList(names: readonly string[], alias?: string): string {
  return names.map((name) => (alias === undefined ? quoteIdent(name) : `${alias}.${quoteIdent(name)}`)).join(", ");
}

/** A PL/pgSQL block whose dollar quotes cannot be closed from inside, whatever names the body holds. */
export function doBlock(body: string): string {
  let tag = "$replant$";
  for (let n = 0; body.includes(tag); n += 1) tag = `$replant${n}$`;
  return `do ${tag} ${body} ${tag}`;
}
