import type { ReferenceRule } from "@replant/core";
import { describe, expect, test } from "vitest";
import { carryBetween, keepAll, lines } from "./harness.ts";
import type { Prepare } from "./pairs.ts";

const uuid = (n: number): string => `abcdef00-0000-4000-8000-0000000000${String(n).padStart(2, "0")}`;

const schema = `create table servers (id uuid primary key, server_key text not null unique);
  create table users (id int primary key, login text not null unique);
  create table notes (id int primary key, subject_type text not null, subject_id text, body text);
  create table services (id int primary key, configuration jsonb, raw json);`;
const seeds = (first: number, ...keys: string[]): string =>
  `insert into servers values ${keys.map((key, i) => `('${uuid(first + i)}', '${key}')`).join(", ")};`;

const rule = (path: string, more: Partial<ReferenceRule> = {}): ReferenceRule => ({
  path: path.split("."),
  table: "servers",
  column: null,
  when: null,
  onMissing: "error",
  ...more,
});

/** References that no foreign key says: in a column, for one kind of row, and inside json. */
export function placedReferenceCases(prepared: Prepare): void {
  describe("references without a foreign key", () => {
    test("a column that means one table or another, by a condition over its row", async () => {
      const pair = await prepared(
        `${schema} ${seeds(1, "github", "slack", "old")} insert into users values (1, 'u'), (2, 'v');
         insert into notes values (1, 'server', '${uuid(1)}', 'a'), (2, 'user', '2', 'b'), (3, 'server', '${uuid(2).toUpperCase()}', 'c'),
           (4, 'free text', '${uuid(1)}', 'd'), (5, 'server', null, 'e'), (6, 'server', '${uuid(3)}', 'gone'), (7, 'server', 'never there', 'f')`,
        `${schema} ${seeds(41, "slack", "github")} insert into users values (7, 'v')`,
      );
      const { outcome, findings, plan } = await carryBetween(pair.live, pair.candidate, {
        notes: {
          ...keepAll,
          references: [
            rule("subject_id", { when: "subject_type = 'server' -- only these", onMissing: "null" }),
            rule("subject_id", { when: "subject_type = 'user'", table: "users" }),
          ],
        },
      });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      expect(plan.tables[0]?.references.map(({ constraint, by }) => [constraint, by])).toEqual([
        ["rule:subject_id (servers)", "natural-key"],
        ["rule:subject_id (users)", "natural-key"],
      ]);
      expect(await lines(pair.candidate, "select * from notes order by id")).toEqual([
        `(1,server,${uuid(42)},a)`,
        "(2,user,7,b)",
        `(3,server,${uuid(41)},c)`,
        `(4,"free text",${uuid(1)},d)`,
        "(5,server,,e)",
        "(6,server,,gone)",
        "(7,server,,f)",
      ]);
      expect(outcome.missing).toMatchObject([
        { constraint: "rule:subject_id (servers)", rule: "null", rows: 2, listed: ["id=6", "id=7"] },
      ]);
      expect(outcome.repointed.map(({ constraint, rows, mappings }) => [constraint, rows, mappings])).toEqual([
        [
          "rule:subject_id (servers)",
          2,
          [
            { from: uuid(1), to: uuid(42), key: "server_key=github" },
            { from: uuid(2), to: uuid(41), key: "server_key=slack" },
          ],
        ],
        ["rule:subject_id (users)", 1, [{ from: "2", to: "7", key: "login=v" }]],
      ]);
    });

    test("ids inside jsonb and json change, and nothing else of the document", async () => {
      const document = (a: string, b: string): string =>
        `{ "servers" : [ {"id":"${a}", "n": 1.500, "id2": 1e3},  {"name":"\\u00e9 \\"}]", "id" : "${b}"}, {"id": null}, {"id": true}, {"id": {"id": "${a}"}}, "${a}", 7 ], "other":"${a}", "deep": {"x,y": {"id":"${a}"}, "z":[[]], "e":{} } }`;
      const paths = ["servers.*.id", "deep.*.id"];
      // A json holds what somebody wrote, and a uuid may be written in capitals.
      const written = uuid(2).toUpperCase();
      const pair = await prepared(
        `${schema} ${seeds(1, "github", "slack")}
         insert into services values (1, '${document(uuid(1), written)}', '${document(uuid(1), written)}'), (2, null, null), (3, '[1]', '"text"'), (4, '{"servers": {"a": {"id": "${written}"}}}', null)`,
        `${schema} ${seeds(41, "slack", "github")}`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        services: {
          ...keepAll,
          references: ["configuration", "raw"].flatMap((column) => paths.map((path) => rule(`${column}.${path}`))),
        },
      });
      expect(findings).toEqual([]);
      expect(outcome.quarantined).toEqual([]);
      const text = (sql: string) =>
        pair.candidate.query<{ t: string }>(`select ${sql}::text as t from services where id = 1`);
      // Everything at a path; what stands elsewhere keeps the old id.
      const expected = document(uuid(1), written)
        .replace(`{"id":"${uuid(1)}", "n"`, `{"id":"${uuid(42)}", "n"`)
        .replace(written, uuid(41))
        .replace(`"x,y": {"id":"${uuid(1)}"}`, `"x,y": {"id":"${uuid(42)}"}`);
      expect(await text("raw")).toEqual([{ t: expected }]);
      const [before] = await pair.candidate.query<{ t: string }>("select $1::jsonb::text as t", [expected]);
      expect(await text("configuration")).toEqual([before]);
      expect(
        await lines(pair.candidate, "select id, configuration, raw from services where id in (2, 3) order by id"),
      ).toEqual(await lines(pair.live, "select id, configuration, raw from services where id in (2, 3) order by id"));
      expect(
        await lines(pair.candidate, "select configuration #>> '{servers,a,id}' from services where id = 4"),
      ).toEqual([`(${uuid(41)})`]);
      expect(outcome.repointed.map(({ constraint, rows }) => [constraint, rows])).toEqual([
        ["rule:configuration.servers.*.id", 2],
        ["rule:configuration.deep.*.id", 1],
        ["rule:raw.servers.*.id", 1],
        ["rule:raw.deep.*.id", 1],
      ]);
    });

    test("numbers stay numbers, strings stay strings; a missing one is emptied, seeded, or takes its row along", async () => {
      const numbered = `create table plans (id int primary key, name text not null unique); create table t (id int primary key, j jsonb, k json);`;
      const pair = await prepared(
        `${numbered} insert into plans values (1, 'a'), (2, 'b'), (3, 'gone');
         insert into t values (1, '{"plan": 1, "list": ["2", 3]}', '[1, "3"]'), (2, '{"plan": 3}', '[]'),
           (3, '{"list": [2]}', '[2 , {"\\u0000": "\\ud800", "of" :{"\\u0000":2, "id": 2}}, 2]')`,
        `${numbered} insert into plans values (11, 'a'), (12, 'b'), (13, 'free')`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        t: {
          ...keepAll,
          references: [
            rule("j.plan", { table: "plans", onMissing: "drop-row" }),
            rule("j.list.*", { table: "plans", onMissing: "null" }),
            rule("k.*", { table: "plans", onMissing: { seed: "free" } }),
            rule("k.*.of.id", { table: "plans" }),
          ],
        },
      });
      expect(findings).toEqual([]);
      expect(await lines(pair.candidate, "select id, j::text, k::text from t order by id")).toEqual([
        `(1,"{""list"": [""12"", null], ""plan"": 11}","[11, ""13""]")`,
        String.raw`(3,"{""list"": [12]}","[12 , {""\\u0000"": ""\\ud800"", ""of"" :{""\\u0000"":2, ""id"": 12}}, 12]")`,
      ]);
      expect(outcome.missing.map(({ constraint, rule, rows, listed }) => [constraint, rule, rows, listed])).toEqual([
        ["rule:j.plan", "drop-row", 1, ["id=2"]],
        ["rule:j.list.*", "null", 1, ["id=1"]],
        ["rule:k.*", "seed", 1, ["id=1"]],
      ]);
    });

    test("a reference to a kept row follows that row's key, and one to a row that is not kept is named", async () => {
      const chained = `create table servers (id uuid primary key, server_key text not null unique);
        create table settings (server uuid primary key references servers, keep boolean not null default true); create table logs (id int primary key, about jsonb);`;
      const pair = await prepared(
        `${chained} ${seeds(1, "github", "slack", "old")} insert into settings select id, server_key <> 'old' from servers;
         insert into logs values (1, '{"setting": "${uuid(1)}"}'), (2, '{"setting": "${uuid(3)}"}')`,
        `${chained} ${seeds(41, "slack", "github")}`,
      );
      const { outcome, findings } = await carryBetween(pair.live, pair.candidate, {
        settings: { ...keepAll, where: "keep" },
        logs: { ...keepAll, references: [rule("about.setting", { table: "settings" })] },
      });
      expect(findings).toEqual([]);
      expect(await lines(pair.candidate, "select about ->> 'setting' from logs")).toEqual([`(${uuid(42)})`]);
      expect(outcome.quarantined).toMatchObject([
        {
          row: "id=2",
          reason: expect.stringMatching(/^about\.setting: the new database has no row of settings with server/),
        },
      ]);
    });

    test("rules that do not fit the new tables are all named", async () => {
      const pair = await prepared(schema, schema);
      const references = [
        rule("subject_id.x"),
        rule("nowhere"),
        rule("subject_id", { table: "gone" }),
        rule("subject_id", { column: "nothing" }),
      ];
      await expect(
        carryBetween(pair.live, pair.candidate, { notes: { ...keepAll, references } }),
      ).rejects.toMatchObject({
        code: "REPLANT_RULE_INVALID",
        details: {
          items: [
            "notes: reference subject_id.x: the column subject_id is text, and only json has a path",
            "notes: reference nowhere: there is no column nowhere",
            "notes: reference subject_id: there is no table gone",
            "notes: reference subject_id: servers has no column nothing",
          ],
        },
      });
    });
  });
}
