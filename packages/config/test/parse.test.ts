import { describe, expect, test } from "vitest";
import { clerk, parseConfig, type UserConfig } from "../src/index.ts";
import { refusalOf } from "./failure.ts";

const file = "/projects/acme/replant.config.ts";
const least = { migrations: { tool: "prisma", directory: "migrations" } } as const;
const parse = (raw: unknown): ReturnType<typeof parseConfig> => parseConfig(raw, file);

async function itemsOf(raw: unknown): Promise<readonly string[]> {
  const { code, items } = await refusalOf(() => parse(raw));
  expect(code).toBe("REPLANT_CONFIG_INVALID");
  return items ?? [];
}

describe("a configuration", () => {
  test("says little: every default is filled in", () => {
    expect(parse(least)).toEqual({
      project: "acme",
      database: { urlVariable: "DATABASE_URL", envFiles: [".env", "prisma/.env"], name: "app", engine: null },
      migrations: { tool: "prisma", directory: "migrations" },
      seeds: { files: [], sets: ["system"], commands: [] },
      keep: {},
      naturalKeys: {},
      backups: { directory: "backups", keepLast: 20, maxAgeDays: 14 },
      previous: { keep: 1 },
      identity: null,
      guard: { productionNames: [] },
    });
    expect(parseConfig(least, file, "@acme/shop").project).toBe("@acme/shop");
  });

  test("says everything: all of it arrives", () => {
    const everything: UserConfig = {
      project: "Acme",
      database: { urlVariable: "DB_URL", package: "packages/db", name: "acme_dev", engine: "server" },
      migrations: { tool: "prisma", directory: "packages/db/prisma/migrations" },
      seeds: {
        files: ["packages/db/seeds/*.ts"],
        sets: ["system", "mock"],
        commands: [{ name: "legacy", command: ["node", "seed.js", ""], inputs: ["seed.js"] }],
      },
      keep: {
        users: true,
        teams: "deleted_at is null",
        "billing.invoices": { where: "paid", onConflict: "seed", onMissing: { created_by: "null" } },
      },
      backups: { directory: "var/backups", keepLast: 3, maxAgeDays: 0.5 },
      previous: { keep: 0 },
      identity: clerk({
        users: { table: "auth.people", id: "clerk", columns: { mail: "email" }, deletedAt: null },
        roles: { "*": "member" },
        tables: { inbox: "messages" },
      }),
      guard: { productionNames: ["acme_live"] },
    };
    expect(parse(everything)).toEqual({
      project: "Acme",
      database: {
        urlVariable: "DB_URL",
        envFiles: ["packages/db/.env", "packages/db/prisma/.env", ".env"],
        name: "acme_dev",
        engine: "server",
      },
      migrations: everything.migrations,
      seeds: {
        files: ["packages/db/seeds/*.ts"],
        sets: ["system", "mock"],
        commands: [
          {
            name: "legacy",
            set: "system",
            command: ["node", "seed.js", ""],
            cwd: ".",
            inputs: ["seed.js"],
            dependsOn: [],
            mayBeEmpty: false,
            passEnv: [],
          },
        ],
      },
      keep: {
        users: { where: null, onConflict: "kept", onMissing: {} },
        teams: { where: "deleted_at is null", onConflict: "kept", onMissing: {} },
        "billing.invoices": { where: "paid", onConflict: "seed", onMissing: { created_by: "null" } },
      },
      naturalKeys: {},
      backups: everything.backups,
      previous: everything.previous,
      identity: {
        provider: "clerk",
        secretKeyVariable: "CLERK_SECRET_KEY",
        apiUrlVariable: "CLERK_API_URL",
        users: { table: "auth.people", id: "clerk", columns: { mail: "email" }, deletedAt: null },
        organizations: null,
        memberships: null,
        roles: { "*": "member" },
        tables: { inbox: "messages" },
      },
      guard: everything.guard,
    });
  });

  test("says how rows change on their way: all of it arrives", () => {
    const { keep, naturalKeys } = parse({
      ...least,
      keep: {
        accounts: {
          renamedFrom: "users",
          onMissing: { plan_id: { seed: "free" }, region_id: { seed: { country: "de", code: "by" } } },
          columns: {
            name: { convert: "first_name || ' ' || last_name" },
            locale: { rename: "lang", fill: "'en'", map: { "": null, uk: "en" } },
            legacy: { drop: true },
            description: { from: "seed" },
          },
          references: [
            { path: "settings.servers.*.id", table: "mcp_servers" },
            { path: ["settings", "a.b"], table: "plans", column: "code", onMissing: "null" },
            { path: "subject_id", table: "users", when: "subject_type = 'user'" },
          ],
        },
      },
      naturalKeys: { plans: ["name", "year"] },
    });
    const always = { column: null, when: null, onMissing: "error" };
    expect(keep).toEqual({
      accounts: {
        where: null,
        onConflict: "kept",
        renamedFrom: "users",
        onMissing: { plan_id: { seed: "free" }, region_id: { seed: { country: "de", code: "by" } } },
        columns: {
          name: { convert: "first_name || ' ' || last_name" },
          locale: { rename: "lang", fill: "'en'", map: { "": null, uk: "en" } },
          legacy: { drop: true },
          description: { from: "seed" },
        },
        references: [
          { ...always, path: ["settings", "servers", "*", "id"], table: "mcp_servers" },
          { ...always, path: ["settings", "a.b"], table: "plans", column: "code", onMissing: "null" },
          { ...always, path: ["subject_id"], table: "users", when: "subject_type = 'user'" },
        ],
      },
    });
    expect(naturalKeys).toEqual({ plans: ["name", "year"] });
  });

  test("names its own env files, each once", () => {
    const { database } = parse({ ...least, database: { envFiles: ["a.env", "b.env", "a.env"] } });
    expect(database.envFiles).toEqual(["a.env", "b.env"]);
  });
});

describe("errors", () => {
  test("all at once, each with its path, none with its value", async () => {
    const items = await itemsOf({
      database: { url: "postgres://root:secret@db/app", urlVariable: "postgres://root:secret@db/app", engine: "servr" },
      migration: {},
      seeds: {
        files: ["a.ts", 7],
        sets: "system",
        commands: [
          { name: "Legacy", command: [] },
          { name: "twice", command: ["a"], inputs: ["a"] },
          { name: "twice", command: ["b"], inputs: ["b"], timeoutMs: 0.5 },
        ],
      },
      keep: {
        users: { onConflict: "keep", onMising: {} },
        teams: false,
        "public.teams": "",
        "billing.invoices": { onMissing: { "created by": "nul", "": "null", plan: { seeds: "free" } } },
        accounts: {
          columns: { a: {}, b: { drop: true, fill: "1" }, c: { convert: "x", map: {} }, d: { renamedFrom: "e" } },
          references: [{ path: "a..b", table: "users" }, { path: "c" }],
        },
      },
      naturalKeys: { plans: [] },
      backups: { keepLast: 0, maxAgeDays: -1 },
      previous: { keep: Infinity },
      guard: [],
    });
    expect(items).toEqual([
      'migration is no known key; did you mean "migrations"?',
      "database.url is no known key; the URL belongs into the environment, urlVariable names the variable",
      "database.urlVariable must be the name of a variable, not its value",
      'database.engine must be "server" or "embedded"; did you mean "server"?',
      "migrations is required",
      "seeds.files[1] must be a string",
      "seeds.sets must be a list",
      "seeds.commands[0].name must be lower-case letters, digits and dashes",
      "seeds.commands[0].command must not be empty",
      "seeds.commands[0].inputs is required",
      "seeds.commands[2].timeoutMs must be a whole number, 1 or more",
      'seeds.commands names two commands "twice"',
      'keep.users.onMising is no known key; did you mean "onMissing"?',
      'keep.users.onConflict must be "kept" or "seed" or "error"; did you mean "kept"?',
      "keep.teams must be true, an SQL condition or a rule; leave the table out to rebuild it",
      'keep["public.teams"] must not be empty',
      'keep["billing.invoices"].onMissing["created by"] must be "error" or "null" or "drop-row"; did you mean "null"?',
      'keep["billing.invoices"].onMissing[""] is no name: it must not be empty',
      'keep["billing.invoices"].onMissing.plan.seeds is no known key; did you mean "seed"?',
      'keep["billing.invoices"].onMissing.plan.seed is required',
      "keep.accounts.columns.a must say something: rename, fill, convert, map, drop or from",
      "keep.accounts.columns.b cannot drop a column and say more of it",
      "keep.accounts.columns.c cannot have both convert and map: convert sees the backup's columns as they were",
      "keep.accounts.columns.d.renamedFrom is no known key; a column's old name is its rename",
      "keep.accounts.references[0].path must be names with dots between them",
      "keep.accounts.references[1].table is required",
      'keep names one table twice: "teams" and "public.teams"',
      "naturalKeys.plans must not be empty",
      "backups.keepLast must be a whole number, 1 or more",
      "backups.maxAgeDays must be 0 or more",
      "previous.keep must be a whole number, 0 or more",
      "guard must be an object",
    ]);
  });

  test("one error says where it is and how to go on", async () => {
    expect(await refusalOf(() => parse({ ...least, seed: {} }))).toEqual({
      code: "REPLANT_CONFIG_INVALID",
      message: "replant.config.ts has one error",
      where: file,
      items: ['seed is no known key; did you mean "seeds"?'],
      state: "nothing was touched",
      hint: "correct the file and run the command again",
    });
  });

  test.each<[string, unknown]>([
    ["nothing", null],
    ["a list", [least]],
    ["a function", () => least],
    ["a promise", Promise.resolve(least)],
    ["text", "migrations"],
  ])("%s is no configuration", async (_name, raw) => {
    expect(await itemsOf(raw)).toEqual(["the default export must be an object"]);
  });

  test.each<[string, Partial<Record<keyof UserConfig, unknown>>, string]>([
    ["a NUL in a condition", { keep: { users: "a\0b" } }, "keep.users must not hold a NUL character"],
    [
      "a NUL in a rule's condition",
      { keep: { users: { where: "\0" } } },
      "keep.users.where must not hold a NUL character",
    ],
    ["a blank condition", { keep: { users: { where: " " } } }, "keep.users.where must not be empty"],
    ["an empty table", { keep: { "": true } }, 'keep[""] is no name: it must not be empty'],
    ["a NUL in a table", { keep: { "a\0": true } }, 'keep["a\\u0000"] is no name: it must not hold a NUL character'],
    ["a NUL in a directory", { backups: { directory: "a\0" } }, "backups.directory must not hold a NUL character"],
    [
      "a NUL in an argument",
      { seeds: { files: [], commands: [{ name: "a", command: ["\0"], inputs: ["a"] }] } },
      "seeds.commands[0].command[0] must not hold a NUL character",
    ],
    ["an escape code in the name", { project: "\u001b[31m" }, "project must not hold control characters"],
    [
      "a path as a database's name",
      { database: { name: "../app" } },
      "database.name must be up to 63 letters, digits, _ and -",
    ],
    [
      "too long a database's name",
      { database: { name: "a".repeat(64) } },
      "database.name must be up to 63 letters, digits, _ and -",
    ],
    [
      "another migrator",
      { migrations: { tool: "prism", directory: "m" } },
      'migrations.tool must be "prisma"; did you mean "prisma"?',
    ],
    ["not a number", { backups: { maxAgeDays: NaN } }, "backups.maxAgeDays must be a number of days"],
    ["for ever", { backups: { maxAgeDays: Infinity } }, "backups.maxAgeDays must be finite"],
  ])("%s", async (_name, section, expected) => {
    expect(await itemsOf({ ...least, ...section })).toEqual([expected]);
  });

  test("what a misspelt import gives is not taken for an absent rule", async () => {
    expect(await itemsOf({ ...least, keep: undefined, database: { name: undefined } })).toEqual([
      "database.name is undefined; give it a value or leave it out",
      "keep is undefined; give it a value or leave it out",
    ]);
    expect(await itemsOf({ ...least, keep: { users: undefined } })).toEqual([
      "keep.users is undefined; give it a value or leave it out",
    ]);
  });
});

describe("hostile keys", () => {
  test("are tables like any other", () => {
    const { keep } = parse({
      ...least,
      keep: JSON.parse(
        '{ "__proto__": true, "constructor": "id > 1", "prototype": { "onMissing": { "__proto__": "null" } } }',
      ),
    });
    expect(Object.keys(keep)).toEqual(["__proto__", "constructor", "prototype"]);
    expect(Object.entries(keep)[0]?.[1]).toEqual({ where: null, onConflict: "kept", onMissing: {} });
    expect(keep["constructor"]?.where).toBe("id > 1");
    expect(Object.entries(keep["prototype"]?.onMissing ?? {})).toEqual([["__proto__", "null"]]);
    expect(({} as { where?: unknown }).where).toBeUndefined();
  });

  test("a table without a rule has none, whatever it is called", () => {
    const { keep } = parse({ ...least, keep: { users: true } });
    for (const label of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(keep[label]).toBeUndefined();
      expect(parse(least).keep[label]).toBeUndefined();
      expect(keep["users"]?.onMissing[label]).toBeUndefined();
    }
  });

  test("elsewhere they are unknown", async () => {
    const raw: unknown = JSON.parse(
      '{ "migrations": { "tool": "prisma", "directory": "m", "__proto__": 1 }, "constructor": {}, "toString": 1 }',
    );
    expect(await itemsOf(raw)).toEqual([
      "constructor is no known key",
      "toString is no known key",
      "migrations.__proto__ is no known key",
    ]);
  });

  test("keys that only a prototype holds are not overlooked", async () => {
    expect(await itemsOf({ ...least, keep: Object.create({ users: true }) as object })).toEqual([
      "keep must be an object",
    ]);
    expect(await itemsOf(Object.create(least))).toEqual(["the default export must be an object"]);
  });

  test("an escape code in a key does not reach the terminal", async () => {
    const [item = ""] = await itemsOf({ ...least, keep: { "\u001b[2J\u009b\u{e0041}": 1 } });
    expect(item).toMatch(/^keep\["\\u001b\[2J\\u009b\\udb40\\udc41"\] must be/);
  });
});

describe("identity", () => {
  test("is nothing unless somebody says so, and clerk() says the reference schema", () => {
    expect(parse(least).identity).toBeNull();
    expect(parse({ ...least, identity: clerk() }).identity).toEqual({
      provider: "clerk",
      secretKeyVariable: "CLERK_SECRET_KEY",
      apiUrlVariable: "CLERK_API_URL",
      users: null,
      organizations: null,
      memberships: null,
      tables: {},
    });
  });

  test.each([
    [
      { users: { table: "people", id: "clerk", columns: { mail: "e-mail" } } },
      'identity.users.columns.mail must be "email"',
    ],
    [{ memberships: { table: "m", id: "clerk", columns: {} } }, "identity.memberships.user is required"],
    [{ roles: { "org:admin": 1 } }, "must be a string"],
    [{ tables: { outbox: "x" } }, "identity.tables.outbox is no known key"],
    [
      { secretKeyVariable: "sk_test_abc.def" },
      "identity.secretKeyVariable must be the name of a variable, not its value",
    ],
  ])("refuses %j", async (section, problem) => {
    const items = await itemsOf({ ...least, identity: { provider: "clerk", ...section } });
    expect(items.join("\n")).toContain(problem);
  });
});
