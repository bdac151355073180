import type { OwnTables } from "../model/mapping.ts";

/** A type as PostgreSQL and as Prisma call it. `number` counts up by itself. */
const types = {
  uuid: { sql: "uuid", prisma: "String", native: "@db.Uuid" },
  number: { sql: "bigserial", prisma: "BigInt", native: "" },
  text: { sql: "text", prisma: "String", native: "" },
  integer: { sql: "integer", prisma: "Int", native: "" },
  boolean: { sql: "boolean", prisma: "Boolean", native: "" },
  time: { sql: "timestamptz(6)", prisma: "DateTime", native: "@db.Timestamptz(6)" },
  json: { sql: "jsonb", prisma: "Json", native: "" },
} as const;

export interface OwnColumn {
  readonly name: string;
  readonly type: keyof typeof types;
  readonly nullable?: true;
  readonly unique?: true;
  /** Of the default: what PostgreSQL reads, and what Prisma reads. */
  readonly default?: readonly [sql: string, prisma: string];
}

export interface OwnTable {
  /** What the table is for, in the Prisma schema. */
  readonly about: string;
  readonly columns: readonly OwnColumn[];
  readonly key: readonly string[];
  readonly indexes: readonly (readonly string[])[];
}

/** The tables that identity-sync keeps in the project's database: the one place that says what they consist of. */
export const ownTables: Readonly<Record<keyof OwnTables, OwnTable>> = {
  inbox: {
    about: "What the identity provider sent; `eventId` is the `svix-id` header, so a repeated delivery is recognised.",
    columns: [
      { name: "id", type: "uuid", default: ["gen_random_uuid()", 'dbgenerated("gen_random_uuid()")'] },
      { name: "number", type: "number", unique: true, default: ["", "autoincrement()"] },
      { name: "event_id", type: "text", unique: true },
      { name: "event_type", type: "text" },
      { name: "subject", type: "text", nullable: true },
      { name: "occurred_at", type: "time", nullable: true },
      { name: "body", type: "text" },
      { name: "verified", type: "boolean" },
      { name: "status", type: "text", default: ["'pending'", '"pending"'] },
      { name: "attempts", type: "integer", default: ["0", "0"] },
      { name: "error", type: "text", nullable: true },
      { name: "processed_at", type: "time", nullable: true },
      { name: "created_at", type: "time", default: ["CURRENT_TIMESTAMP", "now()"] },
    ],
    key: ["id"],
    indexes: [["status", "number"]],
  },
  objects: {
    about:
      "By object of the identity provider: the age of the state that was written last, and whether it is gone for good.",
    columns: [
      { name: "kind", type: "text" },
      { name: "id", type: "text" },
      { name: "provider_updated_at", type: "time", nullable: true },
      { name: "gone", type: "boolean", default: ["false", "false"] },
    ],
    key: ["kind", "id"],
    indexes: [],
  },
  parked: {
    about: "Memberships that wait for their user or their organization.",
    columns: [
      { name: "id", type: "text" },
      { name: "user_id", type: "text" },
      { name: "organization_id", type: "text" },
      { name: "provider_updated_at", type: "time" },
      { name: "object", type: "json" },
    ],
    key: ["id"],
    indexes: [["user_id"], ["organization_id"]],
  },
  seen: {
    about: "What an unfinished listing of the identity provider has had.",
    columns: [
      { name: "kind", type: "text" },
      { name: "id", type: "text" },
    ],
    key: ["kind", "id"],
    indexes: [],
  },
  state: {
    about: "Which instance of the identity provider this database belongs to, and how far listings have come.",
    columns: [
      { name: "id", type: "text" },
      { name: "value", type: "json" },
    ],
    key: ["id"],
    indexes: [],
  },
};

export const ownTableNames = Object.keys(ownTables) as (keyof OwnTables)[];

export function sqlTypeOf({ type }: OwnColumn): string {
  return types[type].sql;
}

export function prismaTypeOf({ type }: OwnColumn): { readonly type: string; readonly native: string } {
  return { type: types[type].prisma, native: types[type].native };
}
