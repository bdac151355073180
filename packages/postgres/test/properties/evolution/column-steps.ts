import { hostileNames } from "../values.ts";
import { ident, literal, qualified } from "../schema.ts";
import {
  addColumn,
  addRule,
  alter,
  changeColumn,
  failAt,
  oldName,
  typeOf,
  type EvolvingTable,
  type Scope,
  type Step,
} from "./evolving.ts";

/** A cast that some values do not survive gives an error of class 22, a domain one of its own. */
const castStates = ["22P02", "22003", "22001", "23514"];

function addWith(
  { way, at }: Scope,
  table: EvolvingTable,
  { type, rest, value }: { type: string; rest: string; value: string | null },
): string {
  const name = `${hostileNames[way]} n${at}`;
  addColumn(table, { name, type, rest, notNull: rest.includes("not null"), fallback: value });
  for (const row of table.rows) row.values[name] = value;
  return name;
}

const addNullable: Step = (scope) => {
  const name = addWith(scope, scope.table, { type: "integer", rest: "", value: null });
  alter(scope, `add column ${ident(name)} integer`);
  return true;
};

const addDefault: Step = (scope) => {
  const value = "it's \\N";
  const rest = `default ${literal(value)}`;
  const name = addWith(scope, scope.table, { type: "text", rest, value });
  alter(scope, `add column ${ident(name)} text ${rest}`);
  return true;
};

const addNotNull: Step = (scope) => {
  const name = addWith(scope, scope.table, { type: "integer", rest: "not null default 7", value: "7" });
  alter(scope, `add column ${ident(name)} integer not null default 7`);
  return true;
};

/** A new column that no row may leave empty, made from another one. */
const addComputed: Step = (scope) => {
  const { table, evolution } = scope;
  const num = table.slots.get("num");
  if (num === undefined || table.touched.has("num")) return false;
  const name = addWith(scope, table, { type: "bigint", rest: "", value: null });
  changeColumn(table, name, { notNull: true });
  const of = (column: string): string => `coalesce(${column}, 0) + 1`;
  const sql = `alter table ${qualified(table.model)} add column ${ident(name)} bigint;
    update ${qualified(table.model)} set ${ident(name)} = ${of(ident(num))};
    alter table ${qualified(table.model)} alter column ${ident(name)} set not null`;
  evolution.migrations.push({ sql, seeded: sql });
  for (const { values } of table.rows) values[name] = String(BigInt(values[num] ?? 0) + 1n);
  addRule(table, name, { convert: of(oldName(table, num) ?? "") });
  return true;
};

/** A new column that nothing fills: it goes into empty tables alone. */
const addBare: Step = (scope) => {
  const { table } = scope;
  const name = addWith(scope, table, { type: "integer", rest: "", value: null });
  changeColumn(table, name, { notNull: true });
  table.bare.add(name);
  const column = `add column ${ident(name)} integer not null`;
  const dropped = `alter table ${qualified(table.model)} alter column ${ident(name)} drop default`;
  alter(scope, column, `${column} default 3; ${dropped}`);
  failAt(scope, table.rows, { states: ["23502"], named: true });
  return true;
};

/** Columns that may be dropped or renamed: no key, no column of a key of several, not what the rule looks at. */
function movable(table: EvolvingTable): string[] {
  const single = table.model.refs.filter(({ columns }) => columns.length === 1).flatMap(({ columns }) => columns);
  return [...table.slots.values(), ...table.payload, ...single];
}

const dropColumn: Step = (scope) => {
  const { table, way } = scope;
  const columns = movable(table);
  const name = columns[way % columns.length];
  if (name === undefined) return false;
  alter(scope, `drop column ${ident(name)}`);
  const { model, kept } = table;
  table.model = {
    ...model,
    columns: model.columns.filter((column) => column.name !== name),
    refs: model.refs.filter(({ columns: own }) => !own.includes(name)),
    keys: model.keys.filter((key) => !key.includes(name)),
  };
  table.kept = {
    ...kept,
    positive: kept.positive === name ? null : kept.positive,
    unique: kept.unique === name ? null : kept.unique,
  };
  forget(table, name);
  for (const row of table.rows) {
    delete row.values[name];
    row.refused.delete(name);
  }
  return true;
};

function forget(table: EvolvingTable, name: string): void {
  for (const [slot, column] of table.slots) if (column === name) table.slots.delete(slot);
  table.payload = table.payload.filter((column) => column !== name);
  table.rules.delete(name);
  const old = table.origins.get(name);
  table.origins.delete(name);
  if (old !== undefined) table.rules.set(old, { drop: true });
}

const renameColumn: Step = (scope) => {
  const { table, way, at } = scope;
  const columns = movable(table);
  const name = columns[(way * 5) % columns.length];
  if (name === undefined) return false;
  const next = `${hostileNames[way]} r${at}`;
  alter(scope, `rename column ${ident(name)} to ${ident(next)}`);
  const swap = (column: string): string => (column === name ? next : column);
  const { model, kept } = table;
  table.model = {
    ...model,
    columns: model.columns.map((column) => ({ ...column, name: swap(column.name) })),
    refs: model.refs.map((ref) => ({ ...ref, columns: ref.columns.map(swap) })),
    keys: model.keys.map((key) => key.map(swap)),
  };
  table.kept = {
    ...kept,
    positive: kept.positive === null ? null : swap(kept.positive),
    unique: kept.unique === null ? null : swap(kept.unique),
  };
  for (const [slot, column] of table.slots) table.slots.set(slot, swap(column));
  table.payload = table.payload.map(swap);
  moveKey(table.origins, name, next);
  moveKey(table.rules, name, next);
  for (const row of table.rows) {
    row.values[next] = row.values[name] ?? null;
    delete row.values[name];
    if (row.refused.delete(name)) row.refused.add(next);
  }
  return true;
};

function moveKey<Value>(map: Map<string, Value>, from: string, to: string): void {
  const value = map.get(from);
  map.delete(from);
  if (value !== undefined) map.set(to, value);
}

const retypes = [
  { slot: "label", type: "integer", using: true },
  { slot: "label", type: "varchar(3)", using: false },
  { slot: "label", type: '"Ty""pes".three', using: false },
  { slot: "num", type: "bigint", using: false },
  { slot: "num", type: "smallint", using: false },
  { slot: "num", type: "text", using: false },
  { slot: "amount", type: "numeric(12,2)", using: false },
  { slot: "amount", type: "numeric(16,6)", using: false },
  { slot: "amount", type: "numeric(5,2)", using: false },
  { slot: "at", type: "timestamptz(3)", using: false },
  { slot: "tags", type: "char(5)[]", using: false },
] as const;

const retype: Step = async (scope) => {
  const { table, way, ask } = scope;
  const { slot, type, using } = retypes[way % retypes.length] ?? retypes[0];
  const name = table.slots.get(slot);
  if (name === undefined || table.touched.has(slot)) return false;
  table.touched.add(slot);
  const cast = `alter column ${ident(name)} type ${type} ${using ? `using ${ident(name)}::${type}` : ""}`;
  // A seed of today fits today's type.
  alter(
    scope,
    cast,
    slot === "amount" ? `alter column ${ident(name)} type ${type} using least(${ident(name)}, 9)` : cast,
  );
  changeColumn(table, name, { type });
  for (const row of table.rows) {
    const text = row.values[name] ?? null;
    if (text === null) continue;
    row.values[name] = await ask(type, text);
    if (row.values[name] === null) row.refused.add(name);
  }
  failAt(scope, table.rows.filter(({ refused }) => refused.has(name)), { states: castStates, named: false }); // prettier-ignore
  return true;
};

const fillings = { label: "12", num: "7", mood: "fine" } as const;

function emptySlot({ table, way }: Scope): { slot: keyof typeof fillings; name: string } | null {
  const slots = ["label", "num", "mood"] as const;
  const slot = slots[way % slots.length] ?? "label";
  const name = table.slots.get(slot);
  const taken = table.touched.has(`${slot} not null`) || (slot === "num" && (table.kept.unique !== null || table.kept.positive !== null)); // prettier-ignore
  return name === undefined || taken ? null : { slot, name };
}

const setNotNull: Step = (scope) => {
  const { table } = scope;
  const found = emptySlot(scope);
  if (found === null) return false;
  table.touched.add(`${found.slot} not null`);
  alter(scope, `alter column ${ident(found.name)} set not null`);
  failAt(scope, table.rows.filter(({ values }) => values[found.name] === null), { states: ["23502"], named: true }); // prettier-ignore
  changeColumn(table, found.name, { notNull: true });
  return true;
};

const backfill: Step = (scope) => {
  const { evolution, table } = scope;
  const found = emptySlot(scope);
  if (found === null) return false;
  const { slot, name } = found;
  table.touched.add(`${slot} not null`).add(slot);
  const value = literal(fillings[slot]);
  const sql = `update ${qualified(table.model)} set ${ident(name)} = ${value} where ${ident(name)} is null;
    alter table ${qualified(table.model)} alter column ${ident(name)} set not null`;
  evolution.migrations.push({ sql, seeded: sql });
  for (const { values, refused } of table.rows) if (!refused.has(name)) values[name] ??= fillings[slot];
  changeColumn(table, name, { notNull: true });
  addRule(table, name, { fill: value });
  return true;
};

function plainNumber({ slots, kept, touched }: EvolvingTable): string | null {
  const taken = touched.has("num") || touched.has("num not null") || kept.positive !== null || kept.unique !== null;
  return taken ? null : (slots.get("num") ?? null);
}

const addCheck: Step = (scope) => {
  const { table } = scope;
  const num = plainNumber(table);
  if (num === null) return false;
  table.touched.add("num");
  alter(scope, `add check (${ident(num)} > 0)`);
  table.kept = { ...table.kept, positive: num };
  failAt(scope, table.rows.filter(({ values }) => values[num] != null && Number(values[num]) <= 0), { states: ["23514"], named: false }); // prettier-ignore
  return true;
};

const addUnique: Step = (scope) => {
  const { table } = scope;
  const num = plainNumber(table);
  if (num === null) return false;
  table.touched.add("num");
  alter(scope, `add unique (${ident(num)})`);
  const there = table.rows.filter((row) => row.there && row.values[num] != null);
  const twice = there.filter((row) => there.some((other) => other !== row && other.values[num] === row.values[num]));
  failAt(scope, twice, { states: ["23505"], named: true });
  table.kept = { ...table.kept, unique: num };
  table.model = { ...table.model, keys: [...table.model.keys, [num]] };
  return true;
};

/** A member of a document becomes a column, and leaves the document. */
const outOfJson: Step = (scope) => {
  const { evolution, table, at } = scope;
  const doc = table.slots.get("doc");
  if (doc === undefined || typeOf(table, doc) !== "jsonb" || table.touched.has("doc")) return false;
  table.touched.add("doc");
  const name = `x j${at}`;
  const old = oldName(table, doc);
  addColumn(table, { name, type: "text", rest: "", notNull: false, fallback: null });
  const sql = `alter table ${qualified(table.model)} add column ${ident(name)} text;
    update ${qualified(table.model)} set ${ident(name)} = ${ident(doc)} ->> 'x', ${ident(doc)} = ${ident(doc)} - 'x'`;
  evolution.migrations.push({ sql, seeded: sql });
  for (const { values } of table.rows) {
    const text = values[doc] ?? null;
    const { x = null, ...others } = (text === null ? {} : JSON.parse(text)) as Record<string, string | null>;
    values[name] = x;
    if (text !== null) values[doc] = documentText(others);
  }
  addRule(table, name, { convert: `${old} ->> 'x'` });
  addRule(table, doc, { convert: `${old} - 'x'` });
  return true;
};

/** As the server writes a flat jsonb. */
function documentText(members: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(members).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{${parts.join(", ")}}`;
}

export const columnSteps = {
  "add-nullable": addNullable,
  "add-default": addDefault,
  "add-not-null": addNotNull,
  "add-computed": addComputed,
  "add-bare": addBare,
  "drop-column": dropColumn,
  "rename-column": renameColumn,
  retype,
  "not-null": setNotNull,
  backfill,
  check: addCheck,
  unique: addUnique,
  "out-of-json": outOfJson,
} satisfies Record<string, Step>;
