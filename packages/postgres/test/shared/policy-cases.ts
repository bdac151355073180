import { planBackup } from "@replant/core";
import { describe, expect, test } from "vitest";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";
import { carryBetween, keepAll, lines } from "./harness.ts";
import type { Prepare } from "./pairs.ts";

/** Row-level security; the embedded engine has one role, which sees everything. */
export function policyCases(prepared: Prepare): void {
  describe("policies", () => {
    test("rows that a role may not see are an error, never a smaller backup", async () => {
      const schema = `create table t (id int primary key, mine boolean); alter table t enable row level security; create policy own on t using (mine);
        do $$ begin create role replant_reader; exception when duplicate_object then null; end $$; grant select on t to replant_reader;`;
      const pair = await prepared(`${schema} insert into t values (1, true), (2, false)`, "");
      const [selection] = planBackup(await readCatalog(pair.live), { t: keepAll });
      if (selection === undefined) throw new Error("a table is kept");
      expect((await rowPort.describe(pair.live, selection)).rows).toBe(2);
      await pair.live.script("set role replant_reader");
      const hidden = {
        code: "REPLANT_ROWS_HIDDEN",
        details: { why: expect.stringContaining('row-level security policy for table "t"') },
      };
      await expect(rowPort.describe(pair.live, selection)).rejects.toMatchObject(hidden);
      await expect(rowPort.count(pair.live, [selection.table])).rejects.toMatchObject(hidden);
      await pair.live.script("reset role; drop owned by replant_reader; drop role replant_reader");
    });

    test("one that is forced on the owner of the new tables is named, and nothing of the carry stays", async () => {
      const schema = "create table t (id int primary key, mine boolean);";
      const pair = await prepared(
        `${schema} insert into t values (1, true), (2, false)`,
        `${schema} insert into t values (7, true); alter table t enable row level security, force row level security; create policy own on t using (mine);
         do $$ begin create role replant_owner; exception when duplicate_object then null; end $$; alter table t owner to replant_owner;`,
      );
      await pair.candidate.script("set role replant_owner");
      await expect(carryBetween(pair.live, pair.candidate, { t: keepAll })).rejects.toMatchObject({
        code: "REPLANT_ROWS_HIDDEN",
        message: "the role of the database URL may not read every row of t",
        details: { why: expect.stringContaining('row-level security policy for table "t"') },
      });
      await pair.candidate.script("reset role");
      expect(await lines(pair.candidate, "select * from t")).toEqual(["(7,t)"]);
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, { t: keepAll });
      expect(findings).toEqual([]);
      expect(outcome.tables).toMatchObject([{ inBackup: 2, carried: 2 }]);
      await pair.candidate.script("drop owned by replant_owner; drop role replant_owner");
    });
  });
}
