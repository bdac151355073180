import type { AppliedMigration } from "../model/backup.ts";
import type { Catalog } from "../model/catalog.ts";
import type { ResetFacts, TableFacts } from "../model/plan.ts";
import type { MigrationRecord } from "../ports/migrator.ts";
import type { SeedChoice } from "../ports/seeder.ts";
import type { SqlSession } from "../ports/session.ts";
import { planBackup } from "../plan/backup.ts";
import { baselineFingerprint } from "../plan/fingerprint.ts";
import type { Ports, Project } from "./context.ts";
import { withSession } from "./context.ts";

/** Reads everything that a plan is made of. Changes nothing. */
export async function inspect(
  { ports, project }: { ports: Ports; project: Project },
  choice: SeedChoice,
): Promise<ResetFacts> {
  const { engine, migrator, seeder, catalogs } = ports;
  const target = await engine.probe();
  const [migrations, seeds, seedFingerprint] = [
    await migrator.files(),
    await seeder.choose(choice),
    await seeder.fingerprint(choice),
  ];
  const fingerprint = baselineFingerprint({ target, migrator, migrations, seedFingerprint });
  const baseline = (await engine.managed()).find(
    (database) => database.role === "baseline" && database.fingerprint === fingerprint,
  );
  const live =
    target.live === null
      ? null
      : await withSession({ ports }, target.live, (session) => inspectLive(session, { ports, project }));
  return {
    tool: project.tool,
    project: project.id,
    target,
    keep: project.keep,
    migrator: { id: migrator.id, fingerprint: migrator.fingerprint },
    migrations,
    applied: live?.applied ?? [],
    seeds,
    seedFingerprint,
    live: live === null ? null : { catalog: live.catalog, tables: live.tables },
    baseline: {
      exists: baseline !== undefined,
      catalog: baseline === undefined ? null : await catalogs.readCatalog(fingerprint),
    },
    fingerprint,
  };
}

async function inspectLive(
  session: SqlSession,
  { ports, project }: { ports: Ports; project: Project },
): Promise<{ catalog: Catalog; tables: TableFacts[]; applied: AppliedMigration[] }> {
  const catalog = await ports.engine.catalog(session);
  const counts = await ports.rows.count(session, catalog.tables);
  const kept = planBackup(catalog, project.keep).filter((selection) => selection.role === "kept");
  const tables: TableFacts[] = [];
  for (const { table, rows } of counts) {
    const selection = kept.find((candidate) => candidate.table === table);
    tables.push({
      table: { schema: table.schema, name: table.name },
      rows,
      keptRows:
        selection === undefined
          ? null
          : selection.where === null
            ? rows
            : (await ports.rows.describe(session, selection)).rows,
    });
  }
  return { catalog, tables, applied: appliedOf(await ports.migrator.records(session)) };
}

/** The migrations that a database has, in order. */
export function appliedOf(records: readonly MigrationRecord[]): AppliedMigration[] {
  return records.filter((record) => record.state === "applied").map(({ name, checksum }) => ({ name, checksum }));
}
