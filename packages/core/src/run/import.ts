import { messageOf, ReplantError, sqlState } from "../errors.ts";
import type { Table } from "../model/catalog.ts";
import { tableLabel } from "../model/catalog.ts";
import type { ImportedTable } from "../model/import.ts";
import type { ImportReport } from "../model/report.ts";
import { backupRules, knownTable } from "../plan/backup.ts";
import type { SqlSession } from "../ports/session.ts";
import type { BackupWriter } from "../ports/store.ts";
import { assertLive, describeBackup, keptRowsOf, writePart, writeParts } from "./backup.ts";
import type { Ports, Project, Run } from "./context.ts";
import { step, throwIfAborted, warn, withSession } from "./context.ts";
import { withRun } from "./with-run.ts";

/**
 * `replant backup import`: makes a sealed backup of rows that come from elsewhere. The shapes of the tables are those of live,
 * whose server also reads every value, in a transaction that is rolled back.
 * @throws ReplantError REPLANT_TABLE_UNKNOWN listing the tables that there are | REPLANT_USAGE for columns or values that do not fit
 */
export async function importBackup(
  ports: Ports,
  project: Project,
  tables: AsyncIterable<ImportedTable>,
): Promise<ImportReport> {
  return withRun({ ports, project, command: "backup import" }, async (run) => {
    const target = await ports.engine.probe();
    const live = assertLive(target, "nothing was imported: the shapes of its tables are needed");
    return step(run, { kind: "backup", title: "import" }, () =>
      withSession(run, live, async (session) => {
        await session.script("begin");
        const catalog = await ports.engine.catalog(session);
        const imported: Imported[] = [];
        // The rules are known when the tables are, at the end; the manifest is written last.
        const keep: Record<string, ReturnType<typeof backupRules>[string]> = {};
        const manifest = await writeParts(run, { session, target, keep }, async (writer) => {
          for await (const part of tables) {
            throwIfAborted(ports.signal);
            const table = knownTable(catalog, part.name);
            if (imported.some((other) => other.table === table && other.role === part.role)) {
              throw misfit(part, "it stands twice");
            }
            imported.push({ table, role: part.role, missing: missingColumns(part, table) });
            await importPart(run, { session, writer, table, part, number: imported.length });
          }
          const names = imported.filter(({ role }) => role === "kept").map(({ table }) => tableLabel(table));
          Object.assign(keep, backupRules(catalog, project.keep, { kind: "tables", tables: names }));
          // Nothing is known of the sequences from which these rows came; a restore goes by the rows.
          return [];
        });
        await session.script("rollback");
        for (const { table, missing } of imported) {
          if (missing.length > 0) {
            warn(run, `${tableLabel(table)}: no ${missing.join(", ")} in the document; a restore takes the default`);
          }
        }
        const value = { ...describeBackup(run, manifest), warnings: run.warnings };
        return { value, title: `backup   ${keptRowsOf(manifest)} rows imported`, note: value.location };
      }),
    );
  });
}

interface Imported {
  readonly table: Table;
  readonly role: ImportedTable["role"];
  readonly missing: readonly string[];
}

async function importPart(
  run: Run,
  {
    session,
    writer,
    table,
    part,
    number,
  }: { session: SqlSession; writer: BackupWriter; table: Table; part: ImportedTable; number: number },
): Promise<void> {
  const columns = part.columns ?? storedColumns(table);
  try {
    const selection = await run.ports.rows.stage(session, { table, columns, rows: part.rows() });
    const id = `t${String(number).padStart(4, "0")}`;
    await writePart(run, { session, selection, writer, id, as: { table, role: part.role } });
  } catch (error) {
    throw sqlState(error) === undefined ? error : misfit(part, messageOf(error), error);
  }
}

/** Columns that the table has and the rows do not. A column that the table does not have is refused: its values would be lost. */
function missingColumns(part: ImportedTable, table: Table): string[] {
  const { columns } = part;
  if (columns === null) return [];
  const stored = storedColumns(table);
  const unknown = columns.filter((name) => !stored.includes(name));
  if (unknown.length > 0) {
    throw misfit(
      part,
      `live has no column ${unknown.join(", ")} there that can be written; it has ${stored.join(", ")}`,
    );
  }
  return stored.filter((name) => !columns.includes(name));
}

function storedColumns(table: Table): string[] {
  return table.columns.filter(({ generated }) => !generated).map(({ name }) => name);
}

function misfit({ name }: ImportedTable, why: string, cause?: unknown): ReplantError {
  return new ReplantError("REPLANT_USAGE", `the rows of "${name}" do not fit live: ${why}`, {
    where: name,
    state: "no backup was made; live was not changed",
    hint: "change the document, or bring live to the migrations that it was made at",
    cause,
  });
}
