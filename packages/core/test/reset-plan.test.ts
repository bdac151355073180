import { describe, expect, test } from "vitest";
import type { ResetFacts, ResetRequest } from "../src/index.ts";
import { hashOf, isReplantError, planReset } from "../src/index.ts";
import { catalog, omni, table } from "./catalog-builder.ts";

const keepAll = { where: null, onConflict: "kept", onMissing: {} } as const;
const request: ResetRequest = { mode: "smart", seeds: { sets: null, only: null }, acceptLoss: [], replay: true };

function facts(changes: Partial<ResetFacts> = {}): ResetFacts {
  const live = catalog(omni.organizations, omni.servers, omni.services, table("legacy", ["id int!"], ["id"]));
  return {
    tool: "replant 0",
    project: "p",
    target: {
      engine: "server",
      database: "app_dev",
      live: { name: "app_dev", id: "16384" },
      location: "localhost:5432",
      local: true,
      systemIdentifier: "7301",
      serverVersion: "15.18",
      serverMajor: 15,
      encoding: "UTF8",
      collation: "C",
      extensions: [],
      sizeBytes: 8_000_000,
      sessions: [],
      swapBlockers: [],
      environment: null,
    },
    keep: { organizations: { ...keepAll, where: "slug is not null" }, organization_services: keepAll },
    naturalKeys: {},
    migrator: { id: "prisma", fingerprint: "1" },
    migrations: [
      { name: "1_a", checksum: "a", path: "m/1_a/migration.sql" },
      { name: "2_b", checksum: "b", path: "m/2_b/migration.sql" },
    ],
    applied: [
      { name: "1_a", checksum: "a" },
      { name: "2_b", checksum: "b" },
    ],
    seeds: [{ name: "servers", set: "system", dependsOn: [], description: null, where: "seeds/servers.ts:1" }],
    seedFingerprint: "s",
    live: {
      catalog: live,
      tables: live.tables.map((item, index) => ({
        table: { schema: item.schema, name: item.name },
        rows: (index + 1) * 10,
        keptRows: item.name === "organizations" ? 3 : item.name === "organization_services" ? 30 : null,
      })),
    },
    baseline: { exists: true, catalog: catalog(omni.organizations, omni.servers, omni.services) },
    fingerprint: "f".repeat(64),
    ...changes,
  };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return "nothing";
  } catch (error) {
    return isReplantError(error) ? error.code : String(error);
  }
}

describe("planReset", () => {
  test("says for every table what happens to it, and how live is replaced", () => {
    const plan = planReset(facts(), request);
    expect(plan.tables.map((item) => [item.table, item.action, item.rows, item.keptRows, item.notes])).toEqual([
      ["organizations", "keep", 10, 3, ["where slug is not null"]],
      ["mcp_servers", "replace", 20, 0, []],
      [
        "organization_services",
        "keep",
        30,
        30,
        [
          "organization_id re-pointed by natural key of organizations",
          "mcp_server_id re-pointed by natural key of mcp_servers",
        ],
      ],
      ["legacy", "drop", 40, 0, []],
    ]);
    expect(plan.totals).toEqual({ keptRows: 33, replacedTables: 3, droppedTables: 1, lostRows: 0 });
    expect(plan.migrations).toEqual({ tool: "prisma", count: 2, new: [] });
    expect(plan.tables.map(({ rung }) => rung)).toEqual(["straight", null, "straight", null]);
    expect(plan.strategy.name).toBe("swap");
    expect(plan.steps).toEqual(["baseline", "candidate", "fence", "backup", "carry", "verify", "swap", "clean"]);
  });

  test("without a cached baseline it is built first, and nothing is foretold about its schema", () => {
    const plan = planReset(facts({ baseline: { exists: false, catalog: null } }), request);
    expect(plan.steps.slice(0, 4)).toEqual(["migrate", "seed", "baseline", "candidate"]);
    expect(plan.tables.find((item) => item.table === "legacy")?.action).toBe("replace");
  });

  test("a first reset has nothing to fence, back up or carry", () => {
    const base = facts();
    const plan = planReset({ ...base, live: null, target: { ...base.target, live: null } }, request);
    expect(plan.strategy.name).toBe("create");
    expect(plan.steps).toEqual(["baseline", "candidate", "verify", "swap", "clean"]);
    expect(plan.tables).toEqual([]);
  });

  test("a forced one keeps nothing and says what a smart one would keep", () => {
    const plan = planReset(facts(), { ...request, mode: "force" });
    expect(plan.totals.keptRows).toBe(0);
    expect(plan.steps).not.toContain("carry");
    expect(plan.steps).toContain("backup");
    expect(plan.tables.find((item) => item.table === "organizations")?.notes).toEqual([
      "3 rows that a smart reset would keep",
    ]);
  });

  test("pending migrations run over kept rows, so that nothing is foretold of their columns", () => {
    const pending = facts({
      applied: [{ name: "1_a", checksum: "a" }],
      baseline: { exists: true, catalog: catalog(omni.organizations, omni.servers) },
    });
    const plan = planReset(pending, request);
    expect(plan.migrations.new).toEqual(["2_b"]);
    expect(plan.route).toEqual({
      kind: "replay",
      level: 1,
      pending: ["2_b"],
      why: "1 migration is newer than the backup",
    });
    expect(plan.tables.map(({ table: name, action, rung }) => [name, action, rung])).toEqual([
      ["organizations", "keep", "replay"],
      ["mcp_servers", "replace", null],
      ["organization_services", "keep", "replay"],
      ["legacy", "drop", null],
    ]);
    expect(plan.totals.lostRows).toBe(0);
    expect(plan.steps).toContain("replay");
    const byName = planReset(pending, { ...request, replay: false });
    expect(byName.totals.lostRows).toBe(30);
    expect(byName.steps).not.toContain("replay");
    expect(byName.hash).not.toBe(plan.hash);
  });

  test("rows without a place are lost rows of the plan", () => {
    const plan = planReset(
      facts({ baseline: { exists: true, catalog: catalog(omni.organizations, omni.servers) } }),
      request,
    );
    expect(plan.totals).toMatchObject({ keptRows: 3, lostRows: 30, droppedTables: 2 });
  });

  test("equal facts give the equal plan, and every fact that matters changes its hash", () => {
    const plan = planReset(facts(), request);
    expect(planReset(structuredClone(facts()), request)).toEqual(plan);
    const { hash, ...rest } = plan;
    expect(hash).toBe(hashOf(rest).slice(0, 16));
    const base = facts();
    for (const changed of [
      facts({ fingerprint: "e".repeat(64) }),
      facts({ tool: "replant 1" }),
      facts({ keep: { organizations: keepAll } }),
      facts({ target: { ...base.target, live: { name: "app_dev", id: "16385" } } }),
      facts({ target: { ...base.target, systemIdentifier: "7302" } }),
      facts({ live: { ...base.live!, tables: base.live!.tables.slice(1) } }),
    ]) {
      expect(planReset(changed, request).hash).not.toBe(hash);
    }
    expect(planReset(facts(), { ...request, acceptLoss: ["users"] }).hash).not.toBe(hash);
  });

  test("refuses what the server forbids, and rules for tables that are nowhere", () => {
    const base = facts();
    expect(
      codeOf(() =>
        planReset(
          { ...base, target: { ...base.target, swapBlockers: ["the role may not create databases"] } },
          request,
        ),
      ),
    ).toBe("REPLANT_STRATEGY_UNAVAILABLE");
    expect(codeOf(() => planReset(facts({ keep: { organisations: keepAll } }), request))).toBe("REPLANT_TABLE_UNKNOWN");
    // While the new schema is not known, the table may be about to appear.
    const unknown = facts({ keep: { organisations: keepAll }, baseline: { exists: false, catalog: null } });
    expect(planReset(unknown, request).warnings).toEqual([
      'keep rule for "organisations": live has no such table, nothing is kept of it',
    ]);
  });

  test("kept rows that point at rows which are not kept are warned of, with what to write", () => {
    const live = facts().live;
    if (live === null) throw new Error("there is a live database");
    const unkept = [{ constraint: "organization_services_organization_id_fkey", rows: 2 }];
    const tables = live.tables.map((fact) =>
      fact.table.name === "organization_services" ? { ...fact, unkept } : fact,
    );
    const line =
      '2 rows point at organizations that are not kept (organization_id); add to its rule: organization_id in (select id from organizations where slug is not null), or say onMissing: { organization_id: "drop-row" }';
    const plan = planReset(facts({ live: { ...live, tables, largeObjects: 0 } }), request);
    expect(plan.warnings).toEqual([`organization_services: ${line}`]);
    expect(plan.tables.find(({ table: name }) => name === "organization_services")?.notes).toContain(line);
    expect(planReset(facts({ live: { ...live, tables } }), { ...request, mode: "force" }).warnings).toEqual([]);
  });

  test("a reference that goes by id says so, and what to declare", () => {
    const plans = table("plans", ["id int! =nextval('p')", "note text", "name text!"], ["id"]);
    const accounts = table("accounts", ["id int!", "plan int!"], ["id"], ["plan -> plans.id"]);
    const both = catalog(accounts, plans);
    const changes = {
      keep: { accounts: keepAll },
      live: {
        catalog: both,
        tables: both.tables.map((item) => ({ table: item, rows: 3, keptRows: item === accounts ? 3 : null })),
      },
      baseline: { exists: true, catalog: both },
    };
    expect(planReset(facts(changes), request).tables[0]?.notes).toEqual([
      'plan goes by id: plans has no natural key; declare one: naturalKeys: { plans: ["name"] }',
    ]);
    const declared = planReset(facts({ ...changes, naturalKeys: { plans: ["name"] } }), request);
    expect(declared.tables[0]?.notes).toEqual(["plan re-pointed by natural key of plans"]);
    expect(declared.hash).not.toBe(planReset(facts(changes), request).hash);
  });

  test("large objects that kept rows may mean are warned of", () => {
    const files = catalog(table("files", ["id int!", "blob oid"], ["id"]));
    const live = { catalog: files, tables: [{ table: { schema: "public", name: "files" }, rows: 1, keptRows: 1 }] };
    const warningsOf = (largeObjects: number): readonly string[] =>
      planReset(
        facts({
          keep: { files: keepAll },
          live: { ...live, largeObjects },
          baseline: { exists: true, catalog: files },
        }),
        request,
      ).warnings;
    expect(warningsOf(0)).toEqual([]);
    expect(warningsOf(3)).toEqual([
      "the database has 3 large objects, which are not carried; kept rows may mean them: files.blob",
    ]);
  });
});
