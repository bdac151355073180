import { ReplantError } from "../errors.ts";
import type { Catalog } from "../model/catalog.ts";
import type { DatabaseRef } from "../ports/engine.ts";
import type { SeedChoice, SeedResult } from "../ports/seeder.ts";
import type { Run } from "./context.ts";
import { append, describeFailure, iso, step, withSession } from "./context.ts";

/** A database with all migrations, and seeds unless `seeds` is null, ready to be cloned. */
export interface Baseline {
  readonly database: DatabaseRef;
  readonly catalog: Catalog;
  readonly cached: boolean;
  readonly seeds: readonly SeedResult[];
}

export interface BaselineRequest {
  readonly fingerprint: string;
  readonly seeds: SeedChoice | null;
  /** Only the first so many migrations; absent: all. */
  readonly level?: number;
}

/** Finds the baseline of a fingerprint or builds it. Live is not touched; a half-built baseline is dropped. */
export async function ensureBaseline(run: Run, request: BaselineRequest): Promise<Baseline> {
  const { fingerprint } = request;
  const { engine, catalogs } = run.ports;
  const found = (await engine.managed()).find(
    (database) => database.role === "baseline" && database.fingerprint === fingerprint,
  );
  if (found === undefined) return build(run, request);
  const catalog = (await catalogs.readCatalog(fingerprint)) ?? (await learnCatalog(run, found, fingerprint));
  return { database: found, catalog, cached: true, seeds: [] };
}

/** Another checkout has built it. Nobody can connect to a baseline, so a copy is looked at. */
async function learnCatalog(run: Run, baseline: DatabaseRef, fingerprint: string): Promise<Catalog> {
  const { engine, catalogs, clock } = run.ports;
  const copy = await engine.clone(baseline, { role: "scratch", run: run.id, fingerprint, createdAt: iso(clock.now()) });
  try {
    const catalog = await withSession(run, copy, (session) => engine.catalog(session));
    await catalogs.writeCatalog(fingerprint, catalog);
    return catalog;
  } finally {
    await engine.drop(copy);
  }
}

async function build(run: Run, { fingerprint, seeds, level }: BaselineRequest): Promise<Baseline> {
  const { engine, catalogs, clock } = run.ports;
  const building = await engine.create({ role: "building", run: run.id, fingerprint, createdAt: iso(clock.now()) });
  await append(run, { type: "database", at: iso(clock.now()), role: "building", ...building });
  try {
    const { catalog, results } = await withSession(run, building, async (session) => {
      await step(run, { kind: "migrate", title: "migrations" }, async () => {
        const files = (await run.ports.migrator.files()).slice(0, level);
        let done = 0;
        const onApplied = (): void => {
          done += 1;
          run.ports.emit({ type: "progress", step: "migrate", done, total: files.length, unit: "migrations" });
        };
        const applied = await run.ports.migrator.apply(session, {
          onApplied,
          ...(level === undefined ? {} : { level }),
        });
        if (applied.length !== files.length) {
          throw new ReplantError(
            "REPLANT_BASELINE_FAILED",
            `${applied.length} of ${files.length} migrations were applied to an empty database`,
          );
        }
        return { value: null, title: `${applied.length} migrations applied` };
      });
      const results = seeds === null ? [] : await seedStep(run, { session, seeds, mustWrite: true });
      return { catalog: await engine.catalog(session), results };
    });
    return await step(run, { kind: "baseline", title: "baseline" }, async () => {
      await catalogs.writeCatalog(fingerprint, catalog);
      const database = await engine.seal(building, fingerprint);
      return {
        value: { database, catalog, cached: false, seeds: results },
        title: `${level === undefined ? "baseline saved" : "level saved"}  ${fingerprint.slice(0, 8)}`,
        note: level === undefined ? "the next reset reuses it" : "of the migrations that the rows have",
      };
    });
  } catch (error) {
    await engine.drop(building).catch(() => undefined);
    throw describeFailure(error, { state: "live was not changed; the database being built was dropped" });
  }
}

/** Runs seeds as one step of a run. */
export async function seedStep(
  run: Run,
  {
    session,
    seeds,
    mustWrite,
  }: { session: Parameters<Run["ports"]["seeder"]["run"]>[0]; seeds: SeedChoice; mustWrite: boolean },
): Promise<SeedResult[]> {
  return step(run, { kind: "seed", title: "seeds" }, async () => {
    const chosen = await run.ports.seeder.choose(seeds);
    let done = 0;
    const results = await run.ports.seeder.run(session, seeds, {
      mustWrite,
      onSeed: () => {
        done += 1;
        run.ports.emit({ type: "progress", step: "seed", done, total: chosen.length, unit: "seeds" });
      },
    });
    const rows = results.reduce((total, result) => total + result.rows, 0);
    const sets = [...new Set(results.map((result) => result.set))].join(", ");
    return { value: results, title: `${results.length} seeds, ${rows} rows`, ...(sets === "" ? {} : { note: sets }) };
  });
}
