import { tableLabel } from "@replant/core";
import { hostileNames } from "../values.ts";
import type { TableModel } from "../schema.ts";
import { ident, literal, qualified } from "../schema.ts";
import {
  alter,
  isTarget,
  typeOf,
  type Evolution,
  type EvolvingRow,
  type EvolvingTable,
  type Scope,
  type Step,
} from "./evolving.ts";

const generated = `"gen" text generated always as ('g') stored`;

const plain = (name: string, type: string, notNull = false) => ({ name, type, rest: "", notNull, fallback: null });

/** A table that migrations fill with what they make of the rows of others. */
function madeTable(model: Omit<TableModel, "constraints" | "rows" | "natural">, rows: EvolvingRow[]): EvolvingTable {
  return {
    model: { ...model, natural: null, constraints: [], rows: [] },
    rows,
    kept: { key: model.key, someOnly: false, onConflict: "kept", positive: null, unique: null },
    oldLabel: tableLabel(model),
    slots: new Map(),
    payload: [],
    origins: new Map(),
    rules: new Map(),
    touched: new Set(),
    known: false,
    hasNewLabel: false,
    bare: new Set(),
  };
}

const hasOneKey = ({ model }: EvolvingTable): boolean => model.keys[0]?.join() === "id";

const renameTable: Step = (scope) => {
  const { table, way, at } = scope;
  const name = `${hostileNames[way]} t${at}`;
  alter(scope, `rename to ${ident(name)}`);
  table.model = { ...table.model, name };
  return true;
};

/** What the rows of a table mean is in other tables from now on, or nowhere. */
function leave(evolution: Evolution, table: EvolvingTable, merged: boolean): void {
  evolution.tables = evolution.tables.filter((other) => other !== table);
  evolution.gone.push({ table, merged });
}

const dropTable: Step = ({ evolution, table }) => {
  if (isTarget(evolution, table)) return false;
  const sql = `drop table ${qualified(table.model)}`;
  evolution.migrations.push({ sql, seeded: sql });
  leave(evolution, table, false);
  return true;
};

/** A column moves into a table of its own, one row for each value. */
const split: Step = ({ evolution, table, way, at }) => {
  const columns = [table.slots.get("label"), table.slots.get("doc"), ...table.payload].flatMap((name) => name ?? []);
  const column = columns[way % columns.length];
  if (column === undefined || !hasOneKey(table) || table.kept.someOnly) return false;
  const [idType, type] = [typeOf(table, "id"), typeOf(table, column)];
  const ref = { name: `fk part ${at}`, columns: ["owner"], target: table.model.key, targetColumns: ["id"], onMissing: "error", clause: "" } as const; // prettier-ignore
  const model = {
    key: `p${at}`,
    schema: "public",
    name: `part ${at}`,
    columns: [plain("owner", idType, true), plain("value", type)],
    keys: [["owner"]],
    refs: [ref],
  };
  const sql = `create table ${qualified(model)} (owner ${idType} primary key, value ${type}, ${generated},
      constraint ${ident(ref.name)} foreign key (owner) references ${qualified(table.model)});
    insert into ${qualified(model)} select id, ${ident(column)} from ${qualified(table.model)} where ${ident(column)} is not null;
    alter table ${qualified(table.model)} drop column ${ident(column)}`;
  evolution.migrations.push({ sql, seeded: sql });
  const rows = table.rows
    .filter(({ values }) => values[column] !== null)
    .map((row) => ({ ...row, values: { owner: row.values["id"] ?? null, value: row.values[column] ?? null } }));
  evolution.tables.push(madeTable(model, rows));
  table.model = { ...table.model, columns: table.model.columns.filter(({ name }) => name !== column) };
  for (const [slot, name] of table.slots) if (name === column) table.slots.delete(slot);
  table.payload = table.payload.filter((name) => name !== column);
  for (const { values } of table.rows) delete values[column];
  evolution.ruled = false;
  return true;
};

/** Two tables become one, whose rows say where they come from. */
const merge: Step = ({ evolution, table, way, at }) => {
  const fits = (one: EvolvingTable): boolean =>
    one.known && hasOneKey(one) && !one.kept.someOnly && one.slots.has("label") && !isTarget(evolution, one);
  const other = evolution.tables.find((one) => one !== table && fits(one));
  if (other === undefined || !fits(table)) return false;
  const model = {
    key: `m${at}`,
    schema: "public",
    name: `merged ${at}`,
    columns: [plain("kind", "text", true), plain("source", "text", true), plain("value", "text")],
    keys: [["kind", "source"]],
    refs: [],
  };
  const byUuid = way % 2 === 1;
  const key = byUuid
    ? "id uuid primary key default gen_random_uuid(), unique (kind, source)"
    : "primary key (kind, source)";
  const parts = [table, other].map((one) => {
    const label = ident(one.slots.get("label") ?? "");
    return `insert into ${qualified(model)} (kind, source, value) select ${literal(one.model.key)}, id::text, ${label}::text from ${qualified(one.model)};
      drop table ${qualified(one.model)}`;
  });
  const sql = `create table ${qualified(model)} (kind text, source text, value text, ${generated}, ${key}); ${parts.join("; ")}`;
  evolution.migrations.push({ sql, seeded: sql });
  const rows = [table, other].flatMap((one) =>
    one.rows.map((row) => ({
      ...row,
      values: {
        kind: one.model.key,
        source: row.values["id"] ?? null,
        value: row.values[one.slots.get("label") ?? ""] ?? null,
      },
    })),
  );
  for (const one of [table, other]) leave(evolution, one, true);
  evolution.tables.push(madeTable(model, rows));
  evolution.ruled = false;
  return true;
};

const ownValues: Readonly<Record<string, string>> = { label: "12", amount: "1", at: "2026-01-01", tags: "{a}", mood: "fine", moods: "{fine}", doc: "{}" }; // prettier-ignore

/** A row that the migration inserts into any database, as many do with what an application cannot be without. */
const ownRow: Step = ({ evolution, table, at }) => {
  const id: Record<string, string> = {};
  for (const name of table.model.keys[0] ?? []) id[name] = ownId(typeOf(table, name), at);
  const given: Record<string, string | null> = { ...id, keep: "true" };
  for (const [slot, name] of table.slots) given[name] = slot === "num" ? String(500 + at) : (ownValues[slot] ?? null);
  const { columns, keys } = table.model;
  const lacking = columns.some(({ name, notNull, fallback }) => notNull && fallback === null && !(name in given));
  if (
    keys[0] === undefined ||
    keys[0][0] === "u k" ||
    !columns.some(({ name }) => name === keys[0]?.[0]) ||
    !("id" in id) ||
    lacking
  )
    return false;
  const names = Object.keys(given);
  const sql = `insert into ${qualified(table.model)} (${names.map(ident).join(", ")}) overriding system value
    values (${names.map((name) => literal(given[name] ?? null)).join(", ")})`;
  evolution.migrations.push({ sql, seeded: sql });
  const values = Object.fromEntries(columns.map(({ name, fallback }) => [name, given[name] ?? fallback]));
  table.rows.push({ values, own: true, there: true, refused: new Set() });
  return true;
};

function ownId(type: string, at: number): string {
  if (type === "uuid") return `00000000-0000-4000-8000-00000000900${at}`;
  return type === "text" ? `own ${at}` : type.startsWith("char") ? "z" : String(9000 + at);
}

const deleteRows: Step = ({ evolution, table }: Scope) => {
  const num = table.slots.get("num");
  const isNumber = num !== undefined && ["integer", "bigint", "smallint"].includes(typeOf(table, num));
  if (!isNumber || isTarget(evolution, table)) return false;
  const sql = `delete from ${qualified(table.model)} where ${ident(num)} = 2`;
  evolution.migrations.push({ sql, seeded: sql });
  const isKept = ({ own, values }: EvolvingRow): boolean => !own && (!table.kept.someOnly || values["keep"] === "true");
  const doomed = table.rows.filter(({ values }) => values[num] === "2");
  const { key } = table.model;
  evolution.removed.set(key, (evolution.removed.get(key) ?? 0) + doomed.filter(isKept).length);
  table.rows = table.rows.filter((row) => !doomed.includes(row));
  evolution.ruled = false;
  return true;
};

export const tableSteps = {
  "rename-table": renameTable,
  "drop-table": dropTable,
  split,
  merge,
  "own-row": ownRow,
  delete: deleteRows,
} satisfies Record<string, Step>;
