import { describe, expect, test } from "vitest";
import { carryBetween, keepAll, lines } from "./harness.ts";
import type { Prepare } from "./pairs.ts";

const schema = `create table servers (id serial primary key, server_key text not null unique);
  create table prompts (id serial primary key, server int not null references servers, name text not null, unique (server, name));
  create table uses (id int primary key, server int references servers, prompt int references prompts, note text);`;
const live = `${schema} insert into servers (server_key) values ('github'), ('old'), ('slack');
  insert into prompts (server, name) values (1, 'p'), (2, 'q');
  insert into uses values (1, 1, 1, 'both stay'), (2, 2, 1, 'its server is gone'), (3, 3, 2, 'its prompt is gone');`;
// Other numbers, and one of them is what the row that is gone had.
const fresh = `${schema} insert into servers (id, server_key) values (11, 'github'), (2, 'slack'), (13, 'fallback');
  insert into prompts (id, server, name) values (21, 11, 'p'), (22, 2, 'q'), (23, 13, 'fallback prompt');`;

/** What becomes of references whose row is not there any more, and what a report can say of it. */
export function missingCases(prepared: Prepare): void {
  describe("references whose row is missing", () => {
    test("a seeded row is named by its natural key, in one column or several, through what that refers to", async () => {
      const pair = await prepared(live, fresh);
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        uses: {
          ...keepAll,
          onMissing: {
            server: { seed: "fallback" },
            prompt: { seed: { server: "fallback", name: "fallback prompt" } },
          },
        },
      });
      expect(findings).toEqual([]);
      expect(await lines(pair.candidate, "select id, server, prompt from uses order by id")).toEqual([
        "(1,11,21)",
        "(2,13,21)",
        "(3,2,23)",
      ]);
      const table = { schema: "public", name: "uses" };
      expect(outcome.missing).toEqual([
        { table, constraint: "uses_prompt_fkey", rule: "seed", rows: 1, listed: ["id=3"] },
        { table, constraint: "uses_server_fkey", rule: "seed", rows: 1, listed: ["id=2"] },
      ]);
      expect(outcome.repointed).toEqual([
        {
          table,
          constraint: "uses_prompt_fkey",
          rows: 2,
          mappings: [{ from: "1", to: "21", key: "server(server_key=github), name=p" }],
        },
        {
          table,
          constraint: "uses_server_fkey",
          rows: 2,
          mappings: [
            { from: "1", to: "11", key: "server_key=github" },
            { from: "3", to: "2", key: "server_key=slack" },
          ],
        },
      ]);
    });

    test("null and drop-row are counted and listed", async () => {
      const pair = await prepared(live, fresh);
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        uses: { ...keepAll, onMissing: { server: "null", prompt: "drop-row" } },
      });
      expect(findings).toEqual([]);
      expect(await lines(pair.candidate, "select id, server, prompt from uses order by id")).toEqual([
        "(1,11,21)",
        "(2,,21)",
      ]);
      expect(outcome.missing.map(({ constraint, rule, rows, listed }) => [constraint, rule, rows, listed])).toEqual([
        ["uses_prompt_fkey", "drop-row", 1, ["id=3"]],
        ["uses_server_fkey", "null", 1, ["id=2"]],
      ]);
    });

    test("a row with a new key that the server refuses at last is missing to those that point at it", async () => {
      const keyed = (
        more: string,
      ): string => `create table servers (id int primary key, server_key text not null unique);
        create table settings (server int primary key references servers, size int not null ${more});
        create table logs (id int primary key, setting int references settings);`;
      const pair = await prepared(
        `${keyed("")} insert into servers values (1, 'github'), (2, 'slack'); insert into settings values (1, 5), (2, 50);
         insert into logs values (1, 1), (2, 2), (3, 2)`,
        `${keyed("check (size < 10)")} insert into servers values (11, 'github'), (12, 'slack')`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        settings: keepAll,
        logs: { ...keepAll, onMissing: { setting: "null" } },
      });
      expect(findings).toEqual([]);
      expect(await lines(pair.candidate, "select * from settings")).toEqual(["(11,5)"]);
      expect(await lines(pair.candidate, "select * from logs order by id")).toEqual(["(1,11)", "(2,)", "(3,)"]);
      expect(outcome.quarantined).toMatchObject([{ row: "server=2", reason: expect.stringContaining("size_check") }]);
      expect(outcome.missing).toMatchObject([
        { constraint: "logs_setting_fkey", rule: "null", rows: 2, listed: ["id=2", "id=3"] },
      ]);
    });

    test("a number that the row which is gone had does not make another row its heir", async () => {
      const pair = await prepared(
        `${live} insert into uses values (4, 1, 2, 'q of the old server')`,
        // The server `slack` has the number of the one that is gone, and a prompt of the same name.
        fresh,
      );
      const { outcome } = await carryBetween(pair.live, pair.candidate, {
        uses: { ...keepAll, onMissing: { server: "null" } },
      });
      expect(outcome.quarantined.map(({ row }) => row)).toEqual(["id=3", "id=4"]);
    });

    test("a seeded row that is not there, or that a rule cannot name, stops before anything is loaded", async () => {
      const pair = await prepared(live, fresh);
      const carried = (onMissing: Record<string, { seed: string | Record<string, string> }>) =>
        carryBetween(pair.live, pair.candidate, { uses: { ...keepAll, onMissing } });
      await expect(carried({ server: { seed: "nowhere" } })).rejects.toMatchObject({
        code: "REPLANT_CARRY_FAILED",
        details: {
          items: ["uses: onMissing of uses_server_fkey: the seeds have no row of servers with server_key=nowhere"],
        },
      });
      await expect(carried({ server: { seed: { key: "fallback" } }, prompt: { seed: "p" } })).rejects.toMatchObject({
        code: "REPLANT_RULE_INVALID",
        details: {
          items: [
            "uses: uses_prompt_fkey: the seeded row of prompts must be given by its natural key (server, name)",
            "uses: uses_server_fkey: the seeded row of servers must be given by its natural key (server_key)",
          ],
        },
      });
      expect(await lines(pair.candidate, "select * from uses")).toEqual([]);
    });

    test("a seeded row whose place a kept row takes is that kept row", async () => {
      const some = `create table owners (id int primary key, login text not null unique, keep boolean not null);
        create table things (id int primary key, owner int references owners);`;
      const pair = await prepared(
        `${some} insert into owners values (1, 'root', true), (2, 'gone', false); insert into things values (1, 2), (2, 1)`,
        `${some} insert into owners values (50, 'root', true)`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        owners: { ...keepAll, where: "keep" },
        things: { ...keepAll, onMissing: { owner: { seed: "root" } } },
      });
      expect(findings).toEqual([]);
      expect(await lines(pair.candidate, "select * from things order by id")).toEqual(["(1,1)", "(2,1)"]);
      expect(outcome.tables.find(({ table }) => table.name === "owners")).toMatchObject({
        replacedSeeded: 1,
        merged: ["id=1"],
      });
    });
  });
}
