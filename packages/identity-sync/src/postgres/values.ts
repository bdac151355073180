import { ReplantError } from "@replant/core";
import type { Json, ProviderObject } from "../model/objects.ts";
import type { FieldColumn, KindLayout, Layout } from "./layout.ts";

const times: ReadonlySet<string> = new Set(["createdAt", "updatedAt", "lastSignInAt"]);
const documents: ReadonlySet<string> = new Set(["publicMetadata", "privateMetadata", "permissions"]);
const textTypes: ReadonlySet<string> = new Set(["text", "character varying", "character", "citext"]);

/** Milliseconds since 1970 as a moment, exactly. */
export function momentSql(ms: string): string {
  return `(timestamptz 'epoch' + ${ms} * interval '1 millisecond')`;
}

/** A moment as milliseconds since 1970, which is what JavaScript counts in. */
export function msSql(moment: string): string {
  return `(extract(epoch from ${moment}) * 1000)::float8`;
}

/**
 * Joins the row that a key has, or nulls. The limit keeps the subquery apart: without statistics, which new rows have not yet, the
 * planner would read whole tables to find some hundred rows.
 */
export function lookupSql(table: string, alias: string, condition: string): string {
  return `left join lateral (select * from ${table} ${alias} where ${condition} limit 1) ${alias} on true`;
}

/** The type in which a field comes out of the JSON of its object. */
function recordType(field: string): string {
  if (times.has(field)) return "float8";
  return documents.has(field) ? "jsonb" : "text";
}

/**
 * `source`: a common table expression with one row for each object of `$1`, in the types of the table's columns. Its columns are
 * `id`, `local_id`, `at` (when the provider changed it), `c0` … for the fields and `j0` … for the joins.
 */
export function sourceSql(layout: Layout, kind: KindLayout): string {
  const fields = kind.fields.map((column, n) => `${valueSql(column, `r.c${n}`)} as c${n}`);
  const joins = kind.joins.map(({ kind: of, target }, n) => {
    const { table, id } = layout.kinds[of];
    return `(select p.${target} from ${table} p where p.${id.sql} = r.j${n}::${id.type}) as j${n}`;
  });
  const record = [
    "id text, local_id uuid, at float8",
    ...kind.fields.map(({ field }, n) => `c${n} ${recordType(field)}`),
    ...kind.joins.map((_, n) => `j${n} text`),
  ];
  const columns = [`r.id::${kind.id.type} as id`, "r.local_id", `${momentSql("r.at")} as at`, ...fields, ...joins];
  return `source as (
    select ${columns.join(", ")}
      from jsonb_to_recordset($1::text::jsonb) as r (${record.join(", ")}))`;
}

/** A field's value as the column has it. */
function valueSql(column: FieldColumn, ref: string): string {
  const value = times.has(column.field)
    ? timeSql(column, ref)
    : documents.has(column.field)
      ? documentSql(column, ref)
      : scalarSql(column, ref);
  const instead = column.notNull ? emptySql(column) : null;
  return instead === null ? value : `coalesce(${value}, ${instead})`;
}

function timeSql({ base, type }: FieldColumn, ref: string): string {
  const moment = momentSql(ref);
  if (base === "timestamp with time zone") return `${moment}::${type}`;
  if (base === "timestamp without time zone" || base === "date") return `(${moment} at time zone 'UTC')::${type}`;
  return textTypes.has(base) ? `${moment}::text` : `${ref}::${type}`;
}

function documentSql({ base, type }: FieldColumn, ref: string): string {
  if (base === "jsonb" || base === "json") return `${ref}::${type}`;
  if (!base.endsWith("[]")) return castSql(base, type, `${ref}::text`);
  return `case when jsonb_typeof(${ref}) = 'array' then array(select jsonb_array_elements_text(${ref}))::${type} end`;
}

function scalarSql({ base, type }: FieldColumn, ref: string): string {
  return base === "jsonb" || base === "json" ? `to_jsonb(${ref})::${type}` : castSql(base, type, ref);
}

/** A cast to a type with a length would cut what is too long; without one the column refuses it. */
function castSql(base: string, type: string, ref: string): string {
  return textTypes.has(base) ? ref : `${ref}::${type}`;
}

/** What stands for no value where the column must have one; null: the server refuses it. */
function emptySql({ base, field, unique }: FieldColumn): string | null {
  if (textTypes.has(base)) return unique ? "r.id" : "''";
  if (base === "jsonb" || base === "json") return field === "permissions" ? `'[]'::${base}` : `'{}'::${base}`;
  return base.endsWith("[]") ? "'{}'" : null;
}

/** True where a row's column and the value differ. Not every type has an equality, and some find different texts equal. */
export function differsSql({ base }: Pick<FieldColumn, "base">, one: string, other: string): string {
  const as = base === "json" ? "::jsonb" : textTypes.has(base) ? '::text collate "C"' : "";
  return `${one}${as} is distinct from ${other}${as}`;
}

/** One object for `sourceSql`. @throws ReplantError REPLANT_IDENTITY_ROLE */
export function recordOf(
  object: ProviderObject,
  { layout, kind, localId }: { layout: Layout; kind: KindLayout; localId: string | null },
): Record<string, Json> {
  const record: Record<string, Json> = { id: object.id, local_id: localId, at: object.updatedAt };
  for (const [n, { field }] of kind.fields.entries()) {
    record[`c${n}`] = field === "role" ? roleOf(object, layout) : (object.fields[field] ?? null);
  }
  for (const [n, { kind: of }] of kind.joins.entries()) record[`j${n}`] = object.joins?.[of] ?? null;
  return record;
}

function roleOf({ id, fields }: ProviderObject, { roles }: Layout): Json {
  if (roles === null) return fields["role"] ?? null;
  const role = typeof fields["role"] === "string" ? fields["role"] : "";
  const known = Object.hasOwn(roles, role) ? roles[role] : roles["*"];
  if (known !== undefined) return known;
  throw new ReplantError("REPLANT_IDENTITY_ROLE", `membership ${id} has the role "${role}", which is not mapped`, {
    why: "a guess could give rights",
    state: "nothing of these changes was written",
    hint: 'add the role to the roles of the identity mapping, or "*" for all others',
  });
}

/** A text as a value that an index of the column finds. */
export function keySql({ base, type }: Pick<FieldColumn, "base" | "type">, ref: string): string {
  if (base === "citext") return `${ref}::citext`;
  return base === "character" ? `${ref}::bpchar` : castSql(base, type, ref);
}
