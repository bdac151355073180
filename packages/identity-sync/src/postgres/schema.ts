import type { TableName } from "@replant/core";
import type { OwnTables } from "../model/mapping.ts";
import { quoteIdent, quoteTable } from "./names.ts";
import type { OwnColumn, OwnTable } from "./own-tables.ts";
import { ownTableNames, ownTables, prismaTypeOf, sqlTypeOf } from "./own-tables.ts";

/** The statements that create the own tables, as a migration has them. Keys and indexes are called as Prisma calls them. */
export function schemaSql(own: OwnTables): string {
  return ownTableNames.map((which) => tableSql(own[which], ownTables[which])).join("\n");
}

/** The Prisma models of the same tables, for a schema that has them by `schemaSql`. */
export function prismaModels(own: OwnTables): string {
  const schemas = ownTableNames.some((which) => own[which].schema !== "public");
  return ownTableNames.map((which) => modelOf(own[which], ownTables[which], schemas)).join("\n");
}

function tableSql(name: TableName, { columns, key, indexes }: OwnTable): string {
  const list = (names: readonly string[]): string => names.map(quoteIdent).join(", ");
  const called = (names: readonly string[], end: string): string => quoteIdent(prismaName([name.name, ...names], end));
  const unique = columns.flatMap((column) => (column.unique === true ? [column.name] : []));
  return [
    `CREATE TABLE ${quoteTable(name)} (`,
    ...columns.map((column) => `    ${columnSql(column)},`),
    `    CONSTRAINT ${called([], "pkey")} PRIMARY KEY (${list(key)})`,
    ");",
    ...unique.map(
      (column) => `CREATE UNIQUE INDEX ${called([column], "key")} ON ${quoteTable(name)} (${list([column])});`,
    ),
    ...indexes.map((of) => `CREATE INDEX ${called(of, "idx")} ON ${quoteTable(name)} (${list(of)});`),
    "",
  ].join("\n");
}

function columnSql(column: OwnColumn): string {
  const [initial = ""] = column.default ?? [];
  const nullable = column.nullable === true ? "" : " NOT NULL";
  return `${quoteIdent(column.name)} ${sqlTypeOf(column).toUpperCase()}${nullable}${initial === "" ? "" : ` DEFAULT ${initial}`}`;
}

/** Names longer than the server's limit are cut before their end, as Prisma does. */
function prismaName(parts: readonly string[], end: string): string {
  return `${parts.join("_").slice(0, 63 - end.length - 1)}_${end}`;
}

function modelOf({ schema, name }: TableName, { about, columns, key, indexes }: OwnTable, schemas: boolean): string {
  const [only] = key;
  const rows = columns.map((column) => {
    const { type, native } = prismaTypeOf(column);
    const field = camelCase(column.name);
    return [
      field,
      `${type}${column.nullable === true ? "?" : ""}`,
      [
        key.length === 1 && column.name === only ? "@id" : "",
        column.unique === true ? "@unique" : "",
        column.default === undefined ? "" : `@default(${column.default[1]})`,
        field === column.name ? "" : `@map(${JSON.stringify(column.name)})`,
        native,
      ]
        .filter((attribute) => attribute !== "")
        .join(" "),
    ] as const;
  });
  const [fieldWidth, typeWidth] = [0, 1].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const list = (names: readonly string[]): string => `[${names.map(camelCase).join(", ")}]`;
  return [
    `/// ${about}`,
    `model ${modelName(name)} {`,
    ...rows.map(([field, type, attributes]) =>
      `  ${field.padEnd(fieldWidth ?? 0)} ${type.padEnd(typeWidth ?? 0)} ${attributes}`.trimEnd(),
    ),
    "",
    ...(key.length > 1 ? [`  @@id(${list(key)})`] : []),
    ...indexes.map((of) => `  @@index(${list(of)})`),
    `  @@map(${JSON.stringify(name)})`,
    ...(schemas ? [`  @@schema(${JSON.stringify(schema)})`] : []),
    "}",
    "",
  ].join("\n");
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** `webhook_events` is `WebhookEvent`. */
function modelName(table: string): string {
  const words = table.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return words
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("")
    .replace(/s$/, "");
}
