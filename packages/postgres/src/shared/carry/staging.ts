import type { CarryColumn, CarryPlan, CarryTable, Column, ContextTable, RowSource, SqlSession } from "@replant/core";
import { ReplantError, sqlState, tableLabel } from "@replant/core";
import { doBlock, quoteLiteral } from "../quote.ts";
import { digestSql } from "../selection.ts";

/** The kept rows of one table in temporary tables of the carrying session. `n` numbers the rows. */
export interface StagedTable {
  readonly plan: CarryTable;
  /** Rows as they came: `n`, `c0`, `c1`, … */
  readonly rows: string;
  /** Rows that will not be loaded: `n`, `kind` (`quarantined` | `dropped`), `reason`. */
  readonly excluded: string;
  /** References to be nulled: `n`, `r` (index into the plan's references). */
  readonly nulled: string;
  /** Rows that take the place of an existing row: `n`, `place` (its ctid). */
  readonly merged: string;
  /** View of the rows that will be loaded, translated: `n`, `f0`, `f1`, … by index of the plan's columns. */
  readonly resolved: string;
  /** By column index: false when the value is staged as text and has to be cast. */
  readonly typed: readonly boolean[];
}

export interface StagedContext {
  readonly plan: ContextTable;
  /** `c0`, `c1`, …, all text. */
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
    if (table.rows > 0) tables.push(await stageTable(session, { table, index, source }));
  }
  const context: StagedContext[] = [];
  for (const [index, table] of plan.context.entries()) {
    if (table.rows === 0) continue;
    const rows = `replant_k${index}`;
    const columns = table.sourceColumns.map((_, column) => `c${column}`);
    await session.script(`create temp table ${rows} (${columns.map((name) => `${name} text`).join(", ")})`);
    await session.copyIn(`copy ${rows} (${columns.join(", ")}) from stdin`, source(table.entry));
    await session.script(`analyze ${rows}`);
    context.push({ plan: table, rows });
  }
  return { tables, context };
}

async function stageTable(
  session: SqlSession,
  { table, index, source }: { table: CarryTable; index: number; source: RowSource },
): Promise<StagedTable> {
  const rows = `replant_s${index}`;
  const fill = async (typed: readonly boolean[]): Promise<void> => {
    const columns = table.columns.map(
      (column, i) => `c${i} ${typed[i] === true && column !== null ? column.target.type : "text"}`,
    );
    await session.script(
      `create temp table ${rows} (${["n bigint generated always as identity primary key", ...columns].join(", ")})`,
    );
    await session.copyIn(
      `copy ${rows} (${table.columns.map((_, i) => `c${i}`).join(", ")}) from stdin`,
      source(table.entry),
    );
  };
  let typed = table.columns.map((column) => column?.mode === "same");
  await session.script("savepoint replant_stage");
  try {
    await fill(typed);
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    await session.script("rollback to savepoint replant_stage");
    typed = table.columns.map(() => false);
    await fill(typed);
  }
  await session.script(`release savepoint replant_stage; analyze ${rows};
    create temp table replant_x${index} (n bigint primary key, kind text not null, reason text not null);
    create temp table replant_z${index} (n bigint, r int, primary key (n, r));
    create temp table replant_g${index} (n bigint primary key, place tid not null)`);
  await assertStagedExactly(session, table, rows);
  return {
    plan: table,
    rows,
    excluded: `replant_x${index}`,
    nulled: `replant_z${index}`,
    merged: `replant_g${index}`,
    resolved: `replant_r${index}`,
    typed,
  };
}

/** The server's digest of what was read from live must be the digest of what is staged here. */
async function assertStagedExactly(session: SqlSession, table: CarryTable, rows: string): Promise<void> {
  const [facts] = await session.query<{ rows: string; digest: string }>(
    digestSql(
      table.columns.map((_, i) => `s.c${i}`),
      `${rows} s`,
    ),
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

/** Casts a staged text to a column's type with the rules of assignment, so that a value which is too long fails instead of being cut. */
export function castSql(expression: string, column: Column): string {
  switch (column.baseType) {
    case "text":
    case "character varying":
    case "character":
      return expression;
    case "bit":
      return `cast(${expression} as bit varying)`;
    default:
      return `cast(${expression} as ${column.baseType})`;
  }
}

/** The value of a staged column in its target's type, before references are translated. */
export function stagedValue(table: StagedTable, index: number, alias: string): string {
  const column = table.plan.columns[index];
  const staged = `${alias}.c${index}`;
  return column == null || table.typed[index] === true ? staged : castSql(staged, column.target);
}

/** Index of the plan's column that fills `name`. */
export function columnIndex(table: CarryTable, name: string): number {
  return table.columns.findIndex((column) => column?.target.name === name);
}

/** The columns that are written, with their index. */
export function writtenColumns(table: CarryTable): { readonly column: CarryColumn; readonly index: number }[] {
  return table.columns.flatMap((column, index) => (column === null ? [] : [{ column, index }]));
}

/** Quarantines rows whose text cannot become the new type, before anything evaluates them. */
export async function excludeUncastable(session: SqlSession, table: StagedTable): Promise<void> {
  for (const { column, index } of writtenColumns(table.plan)) {
    if (table.typed[index] === true) continue;
    const value = stagedValue(table, index, "s");
    await session.script("savepoint replant_cast");
    try {
      await session.query(`select count(${value}) from ${table.rows} s`);
      await session.script("release savepoint replant_cast");
    } catch (error) {
      if (sqlState(error) === undefined) throw error;
      await session.script("rollback to savepoint replant_cast");
      const reason = quoteLiteral(`column "${column.target.name}" is now ${column.target.type}: `);
      await session.script(
        doBlock(`declare replant_row bigint; replant_value text; begin
        for replant_row in select n from ${table.rows} loop
          begin
            select (${value})::text into replant_value from ${table.rows} s where s.n = replant_row;
          exception when others then
            insert into ${table.excluded} values (replant_row, 'quarantined', ${reason} || sqlerrm) on conflict do nothing;
          end;
        end loop; end`),
      );
    }
  }
}
