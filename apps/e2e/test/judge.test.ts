import { prismaCli } from "@replant/database/prisma-cli";
import { databaseUrl, serverUrl } from "@replant/testkit";
import { describe, expect, test } from "vitest";
import { addSyncedRows, openTarget } from "./target.ts";

describe("Prisma's own command line, after a reset that carried rows", () => {
  test.each([15, 18] as const)(
    "finds nothing to do, nothing different and no drift on PostgreSQL %i",
    async (major) => {
      const target = await openTarget(`PostgreSQL ${major}`);
      expect((await target.workspace.replant(["reset"])).code).toBe(0);
      await addSyncedRows(target);
      expect((await target.workspace.replant(["reset"])).code).toBe(0);
      const url = databaseUrl(await serverUrl(major), target.database);

      const status = await prismaCli(["migrate", "status"], { url });
      expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining("Database schema is up to date!") });
      const difference = [
        "migrate",
        "diff",
        "--exit-code",
        "--from-config-datasource",
        "--to-schema",
        "prisma/schema.prisma",
      ];
      expect(await prismaCli(difference, { url })).toMatchObject({ code: 0 });
      const dev = await prismaCli(["migrate", "dev"], { url });
      expect(dev, dev.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("Already in sync") });
      expect(await target.lines("select count(*) from organization_services")).toEqual(["(5)"]);

      // The judge can say no.
      await target.script("alter table users drop column last_name");
      expect((await prismaCli(difference, { url })).code).toBe(2);
    },
  );
});
