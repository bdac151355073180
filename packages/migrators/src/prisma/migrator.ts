import type { Files, Migrator, SqlSession } from "@replant/core";
import { blockingProblems, compareHistory, ReplantError } from "@replant/core";
import { migrationFailure } from "../shared/failure.ts";
import { readMigrationFiles, type Script } from "./files.ts";
import { withMigrationLock } from "./lock.ts";
import { ensureStateTable, markFailed, markFinished, markStarted, readRecords } from "./state-table.ts";

export interface PrismaMigratorOptions {
  /** Absolute path of `prisma/migrations`. */
  readonly directory: string;
  /** Absolute path of the project; messages show paths from here. */
  readonly root: string;
  readonly files: Files;
  /** How long to wait for somebody else who migrates the same database; ten seconds by default, as Prisma does. */
  readonly lockWaitMs?: number;
}

/**
 * Applies a Prisma project's migrations by plain SQL, without Prisma: each file as one message to the server, as Prisma's engine
 * does it, recorded in `_prisma_migrations` so that `prisma migrate` finds its own work. A file is never put into a
 * transaction: `CREATE INDEX CONCURRENTLY` could not run there, and a COMMIT of the file's own would end ours. A file that
 * fails leaves what the server leaves (nothing, unless it commits by itself) and a record of the failure.
 */
export function prismaMigrator(options: PrismaMigratorOptions): Migrator {
  const read = (): Promise<Script[]> => readMigrationFiles(options);
  return {
    id: "prisma",
    fingerprint: "prisma-sql-1",
    files: async () => (await read()).map((script) => script.file),
    records: readRecords,
    apply: async (session, { level, onApplied } = {}) => {
      const scripts = (await read()).slice(0, level);
      return withMigrationLock(session, options.lockWaitMs ?? 10_000, async () => {
        const pending = await pendingScripts(session, scripts);
        const searchPath = await currentSearchPath(session);
        for (const script of pending) {
          await applyScript(session, script);
          onApplied?.(script.file);
        }
        // Dumps empty it for good; whoever works on in this session must find their tables. Between files it stays, as in Prisma.
        await session.query("select set_config('search_path', $1, false)", [searchPath]);
        return pending.map(({ file: { name, checksum } }) => ({ name, checksum }));
      });
    },
  };
}

async function pendingScripts(session: SqlSession, scripts: readonly Script[]): Promise<Script[]> {
  const files = scripts.map((script) => script.file);
  const history = compareHistory(files, await readRecords(session));
  const problems = blockingProblems(history);
  if (problems.length > 0) {
    const failed = problems.find((problem) => problem.kind === "failed");
    throw new ReplantError(
      "REPLANT_MIGRATION_HISTORY",
      `the migrations of database "${session.database}" and the files disagree`,
      {
        items: problems.map((problem) => problem.text),
        hint:
          failed === undefined
            ? "restore the files from version control, or reset the database"
            : `reset the database, or resolve it: prisma migrate resolve --rolled-back "${failed.migration}"`,
      },
    );
  }
  await ensureStateTable(session);
  const pending = new Set(history.pending);
  return scripts.filter((script) => pending.has(script.file));
}

async function applyScript(session: SqlSession, script: Script): Promise<void> {
  const id = await markStarted(session, script.file);
  try {
    await session.script(script.text);
    await markFinished(session, id);
  } catch (error) {
    const failure = migrationFailure(script, error).with({ hint: failureHint(script.file.name) });
    await recordFailure(session, id, failure);
    throw failure;
  }
}

function failureHint(name: string): string {
  return `correct the file and run the command again; a database that you keep wants this first: prisma migrate resolve --rolled-back "${name}"`;
}

/** Best effort: where the session is gone, the unfinished record says the same. */
async function recordFailure(session: SqlSession, id: string, failure: ReplantError): Promise<void> {
  try {
    // A BEGIN in the file outlives its failure.
    await session.script("rollback");
    await markFailed(session, id, [failure.message, failure.details.where, failure.details.why].join("\n"));
  } catch {
    return;
  }
}

async function currentSearchPath(session: SqlSession): Promise<string> {
  const [row] = await session.query<{ path: string }>("select current_setting('search_path') as path");
  return row?.path ?? "";
}
