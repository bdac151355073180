import type { AppliedMigration } from "../model/backup.ts";
import type { Catalog } from "../model/catalog.ts";
import { sameTable } from "../model/catalog.ts";
import type { ResetFacts, TableFacts, UnkeptReference } from "../model/plan.ts";
import type { MigrationRecord } from "../ports/migrator.ts";
import type { SeedChoice } from "../ports/seeder.ts";
import type { SqlSession } from "../ports/session.ts";
import { largeObjectColumns, planBackup } from "../plan/backup.ts";
import type { ClosureCheck } from "../plan/closure.ts";
import { closureChecks } from "../plan/closure.ts";
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
    naturalKeys: project.naturalKeys,
    migrator: { id: migrator.id, fingerprint: migrator.fingerprint },
    migrations,
    applied: live?.applied ?? [],
    seeds,
    seedFingerprint,
    live: live === null ? null : { catalog: live.catalog, tables: live.tables, largeObjects: live.largeObjects },
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
): Promise<{ catalog: Catalog; tables: TableFacts[]; largeObjects: number; applied: AppliedMigration[] }> {
  const catalog = await ports.engine.catalog(session);
  const counts = await ports.rows.count(session, catalog.tables);
  const kept = planBackup(catalog, project.keep).filter((selection) => selection.role === "kept");
  const checks = closureChecks(catalog, project.keep);
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
      unkept: await countUnkept(session, {
        ports,
        checks: checks.filter(({ reference }) => sameTable(reference.from.table, table)),
      }),
    });
  }
  const oids = largeObjectColumns(catalog, project.keep).length > 0;
  const largeObjects = oids ? await ports.rows.largeObjects(session) : 0;
  return { catalog, tables, largeObjects, applied: appliedOf(await ports.migrator.records(session)) };
}

async function countUnkept(
  session: SqlSession,
  { ports, checks }: { ports: Ports; checks: readonly ClosureCheck[] },
): Promise<UnkeptReference[]> {
  const found: UnkeptReference[] = [];
  for (const { constraint, target, reference } of checks) {
    const rows = await ports.rows.unkept(session, target, reference);
    if (rows > 0) found.push({ constraint, rows });
  }
  return found;
}

/** The migrations that a database has, in order. */
export function appliedOf(records: readonly MigrationRecord[]): AppliedMigration[] {
  return records.filter((record) => record.state === "applied").map(({ name, checksum }) => ({ name, checksum }));
}
