import { planBackup } from "@replant/core";
import { describe, expect, test } from "vitest";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";
import { keepAll } from "./harness.ts";
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
  });
}
