import type { CarryColumn, CarryPlan, CarryTable, Column, ContextTable, RowSource, SqlSession } from "@replant/core";
import { ReplantError, sameTable, sqlState, tableLabel } from "@replant/core";
import { doBlock, quoteLiteral } from "../quote.ts";
import { binaryValues, copyOptions, sendFunctions } from "../copy-form.ts";
import { digestSql } from "../selection.ts";
import { ruledValues } from "./rules.ts";

/** The kept rows of one table in temporary tables of the carrying session. `n` numbers the rows. */
export interface StagedTable {
  readonly plan: CarryTable;
  /** Rows as they came: `n`, `c0`, `c1`, … */
  readonly raw: string;
  /** Those of them whose values fit the new columns, in their types. */
  readonly rows: string;
  /** Rows that will not be loaded: `n`, `kind` (`quarantined` | `dropped`), `reason`, `r` (the reference that is missing, or null). */
  readonly excluded: string;
  /** References whose rule `null` or `{ seed }` was applied: `n`, `r` (index into the plan's references). */
  readonly nulled: string;
  /** Rows that take the place of an existing row: `n`, `place` (its ctid), `part` (the table that has it, a partition's own). */
  readonly merged: string;
  /** Of a retry: the mark after which existing rows are live's own; null otherwise. */
  readonly since: string | null;
  /** View of the rows that will be loaded, translated: `n`, `f0`, `f1`, … by index of the plan's columns. */
  readonly resolved: string;
}

export interface StagedContext {
  readonly plan: ContextTable;
  /** `c0`, `c1`, …: text, but in their types what a row is found by and pointed at with. */
  readonly rows: string;
}

export interface Staging {
  readonly tables: readonly StagedTable[];
  readonly context: readonly StagedContext[];
}

/**
 * Copies the parts of a backup into temporary tables. Values whose type is unchanged are staged in it, the rest as text; when the
 * server refuses a typed part as a whole, all of it is staged as text so that single rows can be found.
 */
export async function stage(session: SqlSession, plan: CarryPlan, source: RowSource): Promise<Staging> {
  const tables: StagedTable[] = [];
  // A part without rows has nothing to stage, and nobody can point at what it does not hold.
  for (const [index, table] of plan.tables.entries()) {
    if (table.rows > 0)
      tables.push(await stageTable(session, { table, index, source, since: plan.retry?.since ?? null }));
  }
  const context: StagedContext[] = [];
  for (const [index, table] of plan.context.entries()) {
    if (table.rows === 0) continue;
    context.push(await stageContext(session, { plan, table, index, source }));
  }
  return { tables, context };
}

async function stageContext(
  session: SqlSession,
  { plan, table, index, source }: { plan: CarryPlan; table: ContextTable; index: number; source: RowSource },
): Promise<StagedContext> {
  const [raw, rows] = [`replant_kr${index}`, `replant_k${index}`];
  const columns = table.sourceColumns.map((_, column) => `c${column}`);
  await session.script(
    `create temp table ${raw} (${["n bigint generated always as identity", ...columns.map((name) => `${name} text`)].join(", ")})`,
  );
  await session.copyIn(`copy ${raw} (${columns.join(", ")}) from stdin`, source(table.entry));
  const pointedAt = [
    ...plan.tables.flatMap(({ references }) => references),
    ...plan.context.flatMap(({ naturalKey }) =>
      naturalKey.flatMap(({ via }) =>
        via === null ? [] : [{ target: via.target, targetColumns: [via.targetColumn] }],
      ),
    ),
  ].flatMap(({ target, targetColumns }) => (sameTable(target, table.table) ? targetColumns : []));
  const needed = new Set([...pointedAt, ...table.naturalKey.map(({ name }) => name)]);
  const typed = table.sourceColumns.map((name) =>
    needed.has(name) ? (table.table.columns.find((column) => column.name === name) ?? null) : null,
  );
  await copyTyped(session, { from: raw, to: rows, columns: typed, values: new Map(), excluded: null });
  await session.script(`analyze ${rows}`);
  return { plan: table, rows };
}

async function stageTable(
  session: SqlSession,
  { table, index, source, since }: { table: CarryTable; index: number; source: RowSource; since: string | null },
): Promise<StagedTable> {
  const [raw, excluded] = [`replant_s${index}`, `replant_x${index}`];
  const fill = async (typed: readonly boolean[]): Promise<void> => {
    const columns = table.sourceColumns.map((_, i) => `c${i} ${typed[i] === true ? targetType(table, i) : "text"}`);
    await session.script(
      `create temp table ${raw} (${["n bigint generated always as identity primary key", ...columns].join(", ")})`,
    );
    await (columns.length === 0
      ? session.script(`insert into ${raw} select from generate_series(1, ${table.rows})`)
      : session.copyIn(
          `copy ${raw} (${table.sourceColumns.map((_, i) => `c${i}`).join(", ")}) from stdin${copyOptions(table.copy)}`,
          source(table.entry),
        ));
    await assertStagedExactly(session, table, raw);
  };
  // A rule looks at values as the backup has them.
  const ruled = table.columns.some((column) => column !== null && column.rule !== null);
  let typed = table.sourceColumns.map((_, i) => !ruled && table.columns[i]?.mode === "same");
  await session.script("savepoint replant_stage");
  try {
    await fill(typed);
  } catch (error) {
    // Types of one name need not be the same type: what a domain or a composite type refuses or rounds is looked at as text.
    const changed = error instanceof ReplantError && typed.includes(true);
    if (table.copy === "binary" || (sqlState(error) === undefined && !changed)) throw error;
    await session.script("rollback to savepoint replant_stage");
    typed = table.sourceColumns.map(() => false);
    await fill(typed);
  }
  await session.script(`release savepoint replant_stage;
    create temp table ${excluded} (n bigint primary key, kind text not null, reason text not null, r int);
    create temp table replant_z${index} (n bigint, r int, primary key (n, r));
    create temp table replant_g${index} (n bigint primary key, place tid not null, part oid not null)`);
  const asIs = table.columns.every((column, i) => column === null || typed[i] === true);
  const rows = asIs ? raw : `replant_t${index}`;
  if (!asIs) {
    const columns = table.columns.map((column) => column?.target ?? null);
    const values = await ruledValues(session, table);
    await copyTyped(session, { from: raw, to: rows, columns, values, excluded });
  }
  await session.script(`analyze ${rows}`);
  return {
    plan: table,
    raw,
    rows,
    excluded,
    nulled: `replant_z${index}`,
    merged: `replant_g${index}`,
    since,
    resolved: `replant_r${index}`,
  };
}

/** The server's digest of what was read from live must be the digest of what is staged here. */
async function assertStagedExactly(session: SqlSession, table: CarryTable, rows: string): Promise<void> {
  const values = table.sourceColumns.map((_, i) => `s.c${i}`);
  const types = table.columns.flatMap((column) => (column === null ? [] : [column.target.baseType]));
  const send = table.copy === "binary" ? await sendFunctions(session, types) : null;
  const [facts] = await session.query<{ rows: string; digest: string }>(
    digestSql(send === null ? values : binaryValues(values, send), `${rows} s`),
  );
  if (Number(facts?.rows) !== table.rows || facts?.digest !== table.digest) {
    throw new ReplantError(
      "REPLANT_CARRY_FAILED",
      `the rows of ${tableLabel(table.table)} did not arrive as they were read`,
      {
        why: `${table.rows} rows with digest ${table.digest} were backed up, ${facts?.rows} with ${facts?.digest} were staged`,
      },
    );
  }
}

/** Casts a staged text for assignment to a column, so that a value which is too long fails instead of being cut. */
function castSql(expression: string, base: string): string {
  switch (base) {
    case "text":
    case "character varying":
    case "character":
      return expression;
    case "character[]":
      return `cast(${expression} as bpchar[])`;
    case "bit":
    case "bit[]":
      return `cast(${expression} as ${base.replace("bit", "bit varying")})`;
    default:
      return `cast(${expression} as ${base})`;
  }
}

/** The type behind every name of a type: that of a domain is what the domain is made of. */
async function baseTypes(session: SqlSession, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<{ name: string; base: string }>(
    `with recursive d as (select name, t.oid, t.typtype, t.typbasetype from unnest($1::text[]) name join pg_type t on t.oid = name::regtype
       union all select d.name, t.oid, t.typtype, t.typbasetype from d join pg_type t on t.oid = d.typbasetype where d.typtype = 'd')
     select name, format_type(oid, null) as base from d where typtype <> 'd'`,
    [[...new Set(names)]],
  );
  return new Map(rows.map(({ name, base }) => [name, base]));
}

interface TypedCopy {
  /** Rows as they came: `n`, `c0`, `c1`, … */
  readonly from: string;
  readonly to: string;
  /** By index; null where the value stays the text that it is. */
  readonly columns: readonly (Column | null)[];
  /** By index: SQL over `s` for values that a rule makes. */
  readonly values: ReadonlyMap<number, string>;
  /** Where rows whose text does not fit are named; null to leave them out in silence. */
  readonly excluded: string | null;
}

/** Gives staged rows the types of their columns with the rules of assignment. Rows that the server refuses are not in the copy. */
async function copyTyped(
  session: SqlSession,
  { from, to, columns, values: ruled, excluded }: TypedCopy,
): Promise<void> {
  const bases = await baseTypes(
    session,
    columns.flatMap((column) => (column === null ? [] : [column.baseType])),
  );
  const values = columns.map((column, i) =>
    column === null ? `s.c${i}` : castSql(ruled.get(i) ?? `s.c${i}`, bases.get(column.baseType) ?? column.baseType),
  );
  const types = columns.map((column, i) => `c${i} ${column === null ? "text" : column.type}`);
  await session.script(`create temp table ${to} (${["n bigint primary key", ...types].join(", ")})`);
  const insert = `insert into ${to} select ${["s.n", ...values].join(", ")} from ${from} s`;
  try {
    await session.script(`savepoint replant_cast; ${insert}; release savepoint replant_cast`);
    return;
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    await session.script("rollback to savepoint replant_cast");
  }
  const name = (column: Column, i: number): string => `begin
      insert into ${to} (n, c${i}) select -1, ${values[i]} from ${from} s where s.n = replant_row;
      delete from ${to} where n = -1;
    exception when others then
      insert into ${excluded} values (replant_row, 'quarantined', ${quoteLiteral(`column "${column.name}" is now ${column.type}: `)} || sqlerrm) on conflict do nothing;
    end;`;
  const named = excluded === null ? [] : columns.flatMap((column, i) => (column === null ? [] : [name(column, i)]));
  const rest = excluded === null ? "null;" : `insert into ${excluded} values (replant_row, 'quarantined', replant_reason) on conflict do nothing;`; // prettier-ignore
  await session.script(
    doBlock(`declare replant_row bigint; replant_reason text; begin
    for replant_row in select n from ${from} order by n loop
      begin
        ${insert} where s.n = replant_row;
      exception when others then
        replant_reason := sqlerrm;
        ${named.join("\n")}
        ${rest}
      end;
    end loop; end`),
  );
}

function targetType(table: CarryTable, index: number): string {
  return table.columns[index]?.target.type ?? "text";
}

/** Index of the plan's column that fills `name`. */
export function columnIndex(table: CarryTable, name: string): number {
  return table.columns.findIndex((column) => column?.target.name === name);
}

/** The columns that are written, with their index. */
export function writtenColumns(table: CarryTable): { readonly column: CarryColumn; readonly index: number }[] {
  return table.columns.flatMap((column, index) => (column === null ? [] : [{ column, index }]));
}
