import { planBackup } from "@replant/core";
import { describe, expect, test } from "vitest";
import { readCatalog } from "../../src/shared/catalog.ts";
import { rowPort } from "../../src/shared/rows.ts";
import { carryBetween, keepAll, lines } from "./harness.ts";
import type { Prepare } from "./pairs.ts";

const schema = `create table plans (id serial primary key, name text, region text, slug text not null unique);
  create table bills (id int primary key, plan int not null references plans);`;

/** Keys that the configuration says, and which kept rows point at rows that are not kept. */
export function naturalKeyCases(prepared: Prepare): void {
  describe("declared natural keys", () => {
    const live = `${schema} insert into plans (name, region, slug) values ('free', null, 'x'), ('free', 'eu', 'y'), (null, null, 'z');
      insert into bills select id, id from plans`;

    test("come before those of the catalog, and NULLs in them are equal", async () => {
      const pair = await prepared(
        live,
        // The slugs say otherwise.
        `${schema} insert into plans (id, name, region, slug) values (11, null, null, 'x'), (12, 'free', 'eu', 'z'), (13, 'free', null, 'y')`,
      );
      const { outcome, findings } = await carryBetween(
        pair.live,
        pair.candidate,
        { bills: keepAll },
        { naturalKeys: { plans: ["name", "region"] } },
      );
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      expect(await lines(pair.candidate, "select * from bills order by id")).toEqual(["(1,13)", "(2,12)", "(3,11)"]);
    });

    test("that are not unique in the new database are refused with the rows", async () => {
      const pair = await prepared(
        live,
        `${schema} insert into plans (name, region, slug) values ('free', null, 'a'), ('free', null, 'b'), ('pro', null, 'c')`,
      );
      await expect(
        carryBetween(pair.live, pair.candidate, { bills: keepAll }, { naturalKeys: { plans: ["name", "region"] } }),
      ).rejects.toMatchObject({
        code: "REPLANT_CARRY_FAILED",
        details: { items: ["plans: name=free, region=NULL stands in id=1; id=2"] },
      });
      expect(await lines(pair.candidate, "select * from bills")).toEqual([]);
    });
  });

  describe("rows that point at rows which are not kept", () => {
    test("are counted in live, by foreign keys and by rules", async () => {
      const tables = `create table users (id int primary key, org int, deleted boolean, unique (org, id)); create table members (id int primary key, user_id int references users, org int, extra jsonb,
        foreign key (org, user_id) references users (org, id));`;
      const pair = await prepared(
        `${tables} insert into users values (1, 1, false), (2, 1, true), (3, 1, null);
         insert into members values (1, 1, 1, '[1]'), (2, 2, 1, '[2, 2, 3, 9]'), (3, 3, null, '[]'), (4, null, null, null)`,
        tables,
      );
      const keep = { users: { ...keepAll, where: "not deleted -- soft" }, members: { ...keepAll, where: "id < 9" } };
      const [members, users] = planBackup(await readCatalog(pair.live), keep);
      if (members === undefined || users === undefined) throw new Error("two tables are kept");
      const count = (columns: string[], targetColumns: string[], path: string[] | null = null) =>
        rowPort.unkept(pair.live, users, {
          from: members,
          columns,
          targetColumns,
          place: path === null ? null : { path, when: "id > 0" },
        });
      expect(await count(["user_id"], ["id"])).toBe(2);
      expect(await count(["org", "user_id"], ["org", "id"])).toBe(1);
      expect(await count(["extra"], ["id"], ["*"])).toBe(1);
      expect(await count(["user_id"], ["id"], [])).toBe(2);
    });
  });
}
