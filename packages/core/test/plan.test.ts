import { describe, expect, test } from "vitest";
import type { Table } from "../src/index.ts";
import {
  canonicalJson,
  dependencyOrder,
  findCycle,
  hashOf,
  identityColumns,
  naturalKey,
  planBackup,
  planCarry,
  retired,
  tableLabel,
} from "../src/index.ts";
import { catalog, entriesOf, omni, table } from "./catalog-builder.ts";

const keepAll = { where: null, onConflict: "kept", onMissing: {} } as const;

describe("natural keys", () => {
  test.each([
    ["a unique not-null key beside a generated id", omni.servers, ["server_key"]],
    [
      "of several, the one with fewest columns",
      table("t", ["id int! =nextval('s')", "a text!", "b text!", "c text!"], ["id", "a, b", "c"]),
      ["c"],
    ],
    [
      "a nullable unique column is none",
      table("t", ["id uuid! =gen_random_uuid()", "email text"], ["id", "email"]),
      null,
    ],
    ["a primary key that means something is one", table("countries", ["code text!", "name text!"], ["code"]), ["code"]],
    [
      "a primary key that programs may have made comes after every other key",
      table("t", ["id text!", "server_key text!"], ["id", "server_key"]),
      ["server_key"],
    ],
    ["a uuid alone says nothing, whoever makes it", table("t", ["id uuid!", "name text!"], ["id"]), null],
    [
      "a second generated id is none",
      table("t", ["id uuid! =gen_random_uuid()", "n bigint! =nextval('x')"], ["id", "n"]),
      null,
    ],
  ])("%s", (_name, subject, expected) => {
    expect(naturalKey(subject)).toEqual(expected);
  });

  test("the declared one comes first, nullable or not, where the table has its columns", () => {
    expect(naturalKey(omni.servers, { mcp_servers: ["name"] })).toEqual(["name"]);
    expect(naturalKey(omni.organizations, { "public.organizations": ["slug"] })).toEqual(["slug"]);
    expect(naturalKey(omni.servers, { mcp_servers: ["name", "gone"] })).toEqual(["server_key"]);
  });

  test("identity is the primary key, else a unique key without NULLs", () => {
    expect(identityColumns(omni.services)).toEqual(["id"]);
    const noPrimary: Table = { ...omni.servers, keys: omni.servers.keys.filter((key) => !key.primary) };
    expect(identityColumns(noPrimary)).toEqual(["server_key"]);
    expect(identityColumns({ ...noPrimary, keys: [] })).toBeNull();
  });
});

describe("planBackup", () => {
  const live = catalog(omni.prompts, omni.servers, omni.services, omni.organizations);

  test("reads kept tables, and what they point at as context", () => {
    const selections = planBackup(live, { organization_services: keepAll, organizations: keepAll });
    expect(selections.map((selection) => [selection.role, tableLabel(selection.table)])).toEqual([
      ["kept", "organization_services"],
      ["kept", "organizations"],
      ["context", "mcp_servers"],
    ]);
  });

  test("follows natural keys that are references themselves", () => {
    const favourites = table(
      "favourites",
      ["id uuid! =gen_random_uuid()", "prompt_id uuid!"],
      ["id"],
      ["prompt_id -> default_prompts.id"],
    );
    const selections = planBackup(catalog(favourites, ...live.tables), { favourites: keepAll });
    expect(selections.map((selection) => `${selection.role} ${tableLabel(selection.table)}`)).toEqual([
      "kept favourites",
      "context default_prompts",
      "context mcp_servers",
    ]);
  });

  test("rows that a rule leaves out are context when something kept points at them", () => {
    const rules = { organizations: { ...keepAll, where: "slug is not null" }, organization_services: keepAll };
    const context = planBackup(live, rules).filter((selection) => selection.role === "context");
    expect(context.map((selection) => [tableLabel(selection.table), selection.exclude])).toEqual([
      ["mcp_servers", null],
      ["organizations", { where: "slug is not null" }],
    ]);
  });

  test("a reference circle among context tables ends", () => {
    const a = table("a", ["id int! =nextval('a')", "b_id int!"], ["id", "b_id"], ["b_id -> b.id"]);
    const b = table("b", ["id int! =nextval('b')", "a_id int!"], ["id", "a_id"], ["a_id -> a.id"]);
    const k = table("k", ["id int!", "a_id int!"], ["id"], ["a_id -> a.id"]);
    expect(planBackup(catalog(a, b, k), { k: keepAll }).map((selection) => tableLabel(selection.table))).toEqual([
      "k",
      "a",
      "b",
    ]);
  });
});

describe("planCarry", () => {
  const live = catalog(omni.organizations, omni.servers, omni.services);
  const keep = { organizations: keepAll, organization_services: keepAll };

  test("re-points by natural key what is seeded, keeps ids of what is kept, parents first", () => {
    const plan = planCarry(entriesOf(live, keep), live, keep);
    expect(plan.impossible).toEqual([]);
    expect(plan.tables.map((item) => tableLabel(item.table))).toEqual(["organizations", "organization_services"]);
    expect(plan.tables[1]?.references.map((reference) => [reference.columns[0], reference.by])).toEqual([
      ["organization_id", "kept"],
      ["mcp_server_id", "natural-key"],
    ]);
    expect(plan.context.map((item) => item.naturalKey)).toEqual([[{ name: "server_key", nullable: false, via: null }]]);
  });

  test("columns go by name: dropped ones are named, new ones take their default", () => {
    const target = catalog(
      table(
        "organizations",
        ["id uuid! =gen_random_uuid()", "clerk_id text!", "plan text! ='free'", "note text"],
        ["id", "clerk_id"],
      ),
    );
    const [planned] = planCarry(entriesOf(catalog(omni.organizations), { organizations: keepAll }), target, {}).tables;
    expect(planned?.droppedColumns).toEqual(["slug"]);
    expect(planned?.defaultedColumns).toEqual([
      { name: "plan", value: "'free'" },
      { name: "note", value: "NULL" },
    ]);
  });

  test("a table that is gone, and a new column that nothing can fill, make every row impossible", () => {
    const entries = entriesOf(catalog(omni.organizations), { organizations: keepAll }, 7);
    expect(planCarry(entries, catalog(), {}).impossible).toEqual([
      { table: omni.organizations, rows: 7, reason: "the new schema has no such table" },
    ]);
    const strict = catalog(table("organizations", ["id uuid!", "clerk_id text!", "plan text!"], ["id"]));
    expect(planCarry(entries, strict, {}).impossible[0]?.reason).toBe(
      'column "plan" is new, NOT NULL and has no default; a rule can fill it: columns: { plan: { fill: "..." } }',
    );
  });

  test("a changed type, or an enum that lost a label, is cast; an enum that gained one is not", () => {
    const withRole = (type: string, enumLabels: string[] | null): Table => {
      const base = table("m", ["id int!"], ["id"]);
      return {
        ...base,
        columns: [...base.columns, { ...base.columns[0]!, name: "role", type, baseType: type, enumLabels }],
      };
    };
    const modeOf = (from: Table, to: Table): unknown =>
      planCarry(entriesOf(catalog(from), { m: keepAll }), catalog(to), {}).tables[0]?.columns[1]?.mode;
    expect(modeOf(withRole("role", ["admin", "member"]), withRole("role", ["admin", "member", "viewer"]))).toBe("same");
    expect(modeOf(withRole("role", ["admin", "member"]), withRole("role", ["admin"]))).toBe("cast");
    expect(modeOf(withRole("text", null), withRole("integer", null))).toBe("cast");
  });
});

describe("order and hashes", () => {
  test("dependencies come first, whatever the order of input, cycles included", () => {
    const needs: Record<string, string[]> = { a: ["b"], b: ["c"], c: [], d: ["a", "e"], e: ["d"] };
    const order = dependencyOrder(["d", "a", "c", "b", "e"], (node) => needs[node] ?? []);
    expect(order.indexOf("c")).toBeLessThan(order.indexOf("b"));
    expect(order.indexOf("b")).toBeLessThan(order.indexOf("a"));
    expect([...order].sort()).toEqual(["a", "b", "c", "d", "e"]);
    expect(findCycle(Object.keys(needs), (node) => needs[node] ?? [])).toEqual(["d", "e", "d"]);
    expect(findCycle(["a", "b", "c"], (node) => needs[node] ?? [])).toBeNull();
  });

  test("a chain of 20,000 nodes does not overflow", () => {
    const nodes = Array.from({ length: 20_000 }, (_, n) => n);
    expect(dependencyOrder(nodes, (n) => (n + 1 < nodes.length ? [n + 1] : [])).slice(0, 2)).toEqual([19_999, 19_998]);
  });

  test("canonical JSON ignores the order of keys, and nothing else", () => {
    expect(canonicalJson({ b: 1, a: [2, { d: 1, c: 2 }] })).toBe('{"a":[2,{"c":2,"d":1}],"b":1}');
    expect(hashOf({ a: 1, b: 2 })).toBe(hashOf({ b: 2, a: 1 }));
    expect(hashOf({ a: [1, 2] })).not.toBe(hashOf({ a: [2, 1] }));
  });
});

describe("what is no longer needed", () => {
  const managed = (
    role: "previous" | "baseline",
    name: string,
    createdAt: string,
    fingerprint: string | null = null,
  ) => ({
    role,
    name,
    id: name,
    live: "app",
    run: "r",
    fingerprint,
    createdAt,
    sizeBytes: 1,
  });

  test("previous databases beyond the quota and old baselines go, the one in use stays", () => {
    const all = [
      managed("previous", "p1", "2026-01-01T00:00:00Z"),
      managed("previous", "p2", "2026-01-02T00:00:00Z"),
      ...[1, 2, 3, 4].map((n) => managed("baseline", `b${n}`, `2026-01-0${n}T00:00:00Z`, `f${n}`)),
    ];
    expect(retired(all, { previousKept: 1, fingerprint: "f1", live: "app" }).map(({ name }) => name)).toEqual([
      "p1",
      "b2",
    ]);
    expect(retired(all, { previousKept: 1, fingerprint: "f1", live: "other" }).map(({ name }) => name)).toEqual(["p1"]);
  });
});
