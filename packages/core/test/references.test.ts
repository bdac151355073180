import { describe, expect, test } from "vitest";
import type { BackupEntry, Catalog, KeepRule, KeepRules, NaturalKeys, ReferenceRule } from "../src/index.ts";
import {
  closureChecks,
  closureLines,
  isReplantError,
  largeObjectColumns,
  planBackup,
  planCarry,
  tableLabel,
} from "../src/index.ts";
import { catalog, omni, table } from "./catalog-builder.ts";

const keepAll: KeepRule = { where: null, onConflict: "kept", onMissing: {} };
const rule = (path: string[], more: Partial<ReferenceRule> = {}): ReferenceRule => ({
  path,
  table: "mcp_servers",
  column: null,
  when: null,
  onMissing: "error",
  ...more,
});

const notes = table(
  "notes",
  ["id int!", "subject_id text", "data jsonb", "author uuid!"],
  ["id"],
  ["author -> organizations.id"],
);
const database = catalog(notes, omni.organizations, omni.prompts, omni.servers, omni.services);

function carried(
  keep: KeepRules,
  {
    live = database,
    target = database,
    naturalKeys = {},
  }: { live?: Catalog; target?: Catalog; naturalKeys?: NaturalKeys } = {},
) {
  const entries = planBackup(live, keep, naturalKeys).map((selection, index): BackupEntry => ({
    id: `t${index}`,
    role: selection.role,
    table: selection.table,
    columns: selection.table.columns.map((column) => column.name),
    copy: "text",
    rows: 1,
    digest: "1",
    sizeBytes: 1,
    storedBytes: 1,
    sha256: "",
  }));
  return planCarry(entries, target, keep, { naturalKeys });
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (isReplantError(error)) return [error.code, ...(error.details.items ?? [])];
    throw error;
  }
  return [];
}

describe("references that rules say", () => {
  const references = [rule(["subject_id"], { when: "id > 0", onMissing: "null" }), rule(["data", "servers", "*"])];

  test("what they mean is context, like what a foreign key means", () => {
    const selections = planBackup(database, { notes: { ...keepAll, references } });
    expect(selections.map(({ role, table: name }) => `${role} ${tableLabel(name)}`)).toEqual([
      "kept notes",
      "context mcp_servers",
      "context organizations",
    ]);
    expect(
      selections[1]?.referencedBy.map(({ columns, targetColumns, place }) => [columns, targetColumns, place]),
    ).toEqual([
      [["subject_id"], ["id"], { path: [], when: "id > 0" }],
      [["data"], ["id"], { path: ["servers", "*"], when: null }],
    ]);
  });

  test("they are references of the carry, with the rule of their own", () => {
    const [planned] = carried({ notes: { ...keepAll, references } }).tables;
    expect(planned?.references.map(({ constraint, by, onMissing }) => [constraint, by, onMissing])).toEqual([
      ["notes_author_fkey", "natural-key", "error"],
      ["rule:subject_id", "natural-key", "null"],
      ["rule:data.servers.*", "natural-key", "error"],
    ]);
  });

  test("two for one place are told apart by what they mean", () => {
    const both = [rule(["subject_id"]), rule(["subject_id"], { table: "organizations" })];
    const [planned] = carried({ notes: { ...keepAll, references: both } }).tables;
    expect(planned?.references.slice(1).map(({ constraint }) => constraint)).toEqual([
      "rule:subject_id (mcp_servers)",
      "rule:subject_id (organizations)",
    ]);
  });

  test("a column that the database makes, and a table whose key cannot be meant by one column, are no references", () => {
    const pairs = table("pairs", ["a int!", "b int!", "subject_id text"], ["a, b"]);
    const made = {
      ...notes,
      columns: notes.columns.map((column) => ({ ...column, generated: column.name === "data" })),
    };
    const target = catalog(made, pairs, ...database.tables.filter((item) => item !== notes));
    const references = [rule(["data", "servers"]), rule(["subject_id"], { table: "pairs" })];
    expect(problemsOf(() => carried({ notes: { ...keepAll, references } }, { target }))).toEqual([
      "REPLANT_RULE_INVALID",
      "notes: reference data.servers: the column data is generated",
      "notes: reference subject_id: the primary key of pairs has not exactly one column; say which column is meant",
    ]);
  });

  test("live may lack what only the new schema has, but not the other way round", () => {
    const keep = { notes: { ...keepAll, references: [rule(["subject_id"], { table: "tools" })] } };
    const tools = { ...omni.servers, name: "tools" };
    expect(planBackup(database, keep)).toHaveLength(2);
    expect(carried(keep, { target: catalog(...database.tables, tools) }).tables[0]?.references[1]?.by).toBe("same-id");
    expect(problemsOf(() => carried(keep))).toEqual([
      "REPLANT_RULE_INVALID",
      "notes: reference subject_id: there is no table tools",
    ]);
  });
});

describe("seeded rows that rules point at", () => {
  const services = (seed: string | Record<string, string>): KeepRules => ({
    organization_services: { ...keepAll, onMissing: { mcp_server_id: { seed } } },
  });

  test.each([
    ["the value of the natural key", "github"],
    ["its column and value", { server_key: "github" }],
  ])("%s", (_name, seed) => {
    const reference = carried(services(seed)).tables[0]?.references.find(
      ({ columns }) => columns[0] === "mcp_server_id",
    );
    expect(reference?.seed).toEqual([{ name: "server_key", value: "github", via: null }]);
  });

  test("a declared key is one to find them by, and a key that is a reference is given by what that means", () => {
    const favourites = table("favourites", ["id int!", "prompt_id uuid!"], ["id"], ["prompt_id -> default_prompts.id"]);
    const both = catalog(favourites, ...database.tables);
    const seed = { mcp_server_id: "github", name: "p" };
    const keep = { favourites: { ...keepAll, onMissing: { favourites_prompt_id_fkey: { seed } } } };
    expect(carried(keep, { live: both, target: both }).tables[0]?.references[0]?.seed).toEqual([
      {
        name: "mcp_server_id",
        value: "github",
        via: { target: { schema: "public", name: "mcp_servers" }, targetColumn: "id", key: "server_key" },
      },
      { name: "name", value: "p", via: null },
    ]);
    const named = carried(services({ name: "GitHub" }), { naturalKeys: { mcp_servers: ["name"] } });
    expect(named.tables[0]?.references[1]?.seed).toEqual([{ name: "name", value: "GitHub", via: null }]);
  });

  test("one value is not enough for a key of several columns", () => {
    const favourites = table("favourites", ["id int!", "prompt_id uuid!"], ["id"], ["prompt_id -> default_prompts.id"]);
    const both = catalog(favourites, ...database.tables);
    const keep = { favourites: { ...keepAll, onMissing: { prompt_id: { seed: "p" } } } };
    expect(problemsOf(() => carried(keep, { live: both, target: both }))).toEqual([
      "REPLANT_RULE_INVALID",
      "favourites: favourites_prompt_id_fkey: the seeded row of default_prompts must be given by its natural key (mcp_server_id, name)",
    ]);
  });

  test("what does not fit is named before anything runs, all of it", () => {
    const keep = { ...services({ name: "GitHub" }), notes: { ...keepAll, onMissing: { author: { seed: "x" } } } };
    const bare = catalog(
      ...database.tables.map((item) =>
        item.name === "organizations" ? { ...item, keys: item.keys.slice(0, 1) } : item,
      ),
    );
    expect(
      problemsOf(() => carried(keep, { target: bare, naturalKeys: { plans: ["name"], organizations: ["nothing"] } })),
    ).toEqual([
      "REPLANT_RULE_INVALID",
      "naturalKeys: there is no table plans",
      "naturalKeys: organizations has not all of the columns nothing",
      'notes: notes_author_fkey: organizations has no natural key to find a seeded row by; declare one: naturalKeys: { "organizations": [...] }',
      "organization_services: organization_services_mcp_server_id_fkey: the seeded row of mcp_servers must be given by its natural key (server_key)",
    ]);
  });
});

describe("names in onMissing", () => {
  const both = table(
    "visits",
    ["id int!", "author uuid!", "note_id int"],
    ["id"],
    ["author -> organizations.id", "note_id -> notes.id"],
  );
  const lonely = table("lonely", ["id int!"], ["id"]);
  const visited = catalog(both, lonely, ...database.tables);

  test.each<[string, KeepRules, string[]]>([
    ["a column", { visits: { ...keepAll, onMissing: { note_id: "null" } } }, []],
    ["a constraint", { visits: { ...keepAll, onMissing: { visits_author_fkey: "drop-row" } } }, []],
    [
      "two that are misspelt, a column that is no reference",
      { visits: { ...keepAll, onMissing: { autor: "null", visits_author_fk: "drop-row", id: "null" } } },
      ["autor", "visits_author_fk", "id"].map(
        (name) =>
          `visits: onMissing names ${name}, which is no foreign key: known are author, visits_author_fkey, note_id, visits_note_id_fkey`,
      ),
    ],
    [
      "anything where there is none",
      { lonely: { ...keepAll, onMissing: { "*": "null" } } },
      ["lonely: onMissing names *, which is no foreign key: the table has no foreign key"],
    ],
  ])("%s", (_name, keep, items) => {
    const problems = problemsOf(() => carried(keep, { live: visited, target: visited }));
    expect(problems).toEqual(items.length === 0 ? [] : ["REPLANT_RULE_INVALID", ...items]);
  });
});

describe("columns that stay those of the seed", () => {
  test("are known by the carry; what rows are pointed at by cannot be one", () => {
    const keep = (column: string): KeepRules => ({
      mcp_servers: { ...keepAll, columns: { [column]: { from: "seed" } } },
    });
    expect(carried(keep("name")).tables[0]?.seedColumns).toEqual(["name"]);
    expect(problemsOf(() => carried(keep("id")))).toEqual([
      "REPLANT_RULE_INVALID",
      "mcp_servers: column id cannot be from the seed, because rows are pointed at by it",
    ]);
  });
});

describe("what the kept rows need", () => {
  const members = table(
    "members",
    ["id int!", "user_id uuid!", "invited_by uuid", "data jsonb"],
    ["id"],
    ["user_id -> users.id", "invited_by -> users.id"],
  );
  const users = table("users", ["id uuid! =gen_random_uuid()", "deleted_at timestamptz"], ["id"]);
  const live = catalog(members, users);
  const facts = (constraint: string, rows = 2) => ({
    table: { schema: "public", name: "members" },
    rows: 9,
    keptRows: 9,
    unkept: [{ constraint, rows }],
  });
  const keep: KeepRules = {
    users: { ...keepAll, where: "deleted_at is null" },
    members: { ...keepAll, references: [rule(["data", "by"], { table: "users" })] },
  };

  test("references to tables that are kept with a condition are asked about, but for those with a rule", () => {
    const asked = (rules: KeepRules): string[] => closureChecks(live, rules).map(({ constraint }) => constraint);
    expect(asked(keep)).toEqual(["members_user_id_fkey", "members_invited_by_fkey", "rule:data.by"]);
    expect(asked({ ...keep, users: keepAll })).toEqual([]);
    expect(asked({ ...keep, members: { ...keepAll, onMissing: { user_id: "drop-row", invited_by: "null" } } })).toEqual(
      [],
    );
  });

  test("the line says which rows, and the rule that mends it", () => {
    expect(closureLines(facts("members_user_id_fkey"), live, keep)).toEqual([
      '2 rows point at users that are not kept (user_id); add to its rule: user_id in (select id from users where deleted_at is null), or say onMissing: { user_id: "drop-row" }',
    ]);
    expect(closureLines(facts("members_invited_by_fkey", 1), live, keep)).toEqual([
      '1 row points at users that are not kept (invited_by); add to its rule: (invited_by is null or invited_by in (select id from users where deleted_at is null)), or say onMissing: { invited_by: "drop-row" }',
    ]);
    const twin = { ...members, foreignKeys: members.foreignKeys.map((key) => ({ ...key, columns: ["user_id"] })) };
    expect(closureLines(facts("members_invited_by_fkey"), catalog(twin, users), keep)).toEqual([
      '2 rows point at users that are not kept (user_id); add to its rule: user_id in (select id from users where deleted_at is null), or say onMissing: { members_invited_by_fkey: "drop-row" }',
    ]);
    expect(closureLines(facts("rule:data.by"), live, keep)).toEqual([
      '2 rows point at users that are not kept (data.by); give the reference data.by an onMissing: "drop-row"',
    ]);
  });
});

describe("what stands outside of the tables", () => {
  test("columns of the type lo are refused where they are kept, oids are known", () => {
    const live = catalog(
      table("files", ["id int!", "blob public.lo", "old oid"], ["id"]),
      table("other", ["id lo"], []),
    );
    expect(problemsOf(() => planBackup(live, { files: keepAll }))).toEqual([
      "REPLANT_COLUMN_UNSUPPORTED",
      "files.blob is public.lo",
    ]);
    expect(largeObjectColumns(live, { files: keepAll })).toEqual(["files.old"]);
    expect(planBackup(live, {})).toEqual([]);
  });
});
