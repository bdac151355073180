import { createDatabase, databaseNames, sql } from "@replant/testkit";
import type { TestDatabase } from "@replant/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { history } from "./history.ts";
import { prismaCli } from "./prisma-cli.ts";

test("the folders carry their order in their names", () => {
  const names = history().map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(10);
  expect(names.filter((name) => !/^\d{14}_[a-z_]+$/.test(name))).toEqual([]);
  expect(new Set(names.map((name) => name.slice(0, 14))).size).toBe(names.length);
});

describe.each([15, 18] as const)("Prisma's own CLI on PostgreSQL %i", (major) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(major);
    const deployed = await prismaCli(["migrate", "deploy"], database);
    expect(deployed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("All migrations have been successfully applied"),
    });
  });
  afterAll(() => database.drop());

  test("has applied every migration and finds the database up to date", async () => {
    const applied = await sql<{ migration_name: string }>(
      database.url,
      "select migration_name from _prisma_migrations where finished_at is not null order by migration_name",
    );
    expect(applied.map((row) => row.migration_name)).toEqual(history().map(({ name }) => name));
    const status = await prismaCli(["migrate", "status"], database);
    expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining("Database schema is up to date!") });
  });

  test("finds no difference between the database and the schema", async () => {
    const compare = () =>
      prismaCli(
        ["migrate", "diff", "--exit-code", "--from-config-datasource", "--to-schema", "prisma/schema.prisma"],
        database,
      );
    expect(await compare()).toMatchObject({ code: 0, stdout: expect.stringContaining("No difference detected.") });

    await sql(database.url, "alter table sessions add column planted text");
    try {
      expect(await compare()).toMatchObject({ code: 2, stdout: expect.stringContaining("planted") });
    } finally {
      await sql(database.url, "alter table sessions drop column planted");
    }
  });

  test("finds no drift, creates no migration and leaves no shadow database", async () => {
    const before = history();
    const dev = await prismaCli(["migrate", "dev"], database);
    expect(dev).toMatchObject({ code: 0, stdout: expect.stringContaining("Already in sync") });
    expect(history()).toEqual(before);
    expect(await databaseNames(major, "prisma_migrate_shadow")).toEqual([]);
  });

  test("has the rows that a migration inserts, and a valid index that was built concurrently", async () => {
    expect(await sql(database.url, "select key, value from system_settings order by key")).toEqual([
      { key: "default_locale", value: '"en"' },
      { key: "enabled_features", value: '["prompts", "resources", "services"]' },
      { key: "maintenance_mode", value: "false" },
      { key: "membership_limit_per_organization", value: "250" },
      {
        key: "rate_limits",
        value: '{"api": {"perMinute": 600}, "mcp": {"burst": 20, "perMinute": 120}}',
      },
      { key: "session_lifetime_minutes", value: "43200" },
    ]);
    const index =
      "select indisvalid from pg_index where indexrelid = 'audit_logs_organization_id_created_at_idx'::regclass";
    expect(await sql(database.url, index)).toEqual([{ indisvalid: true }]);
  });
});
