/*
 * The database of the bench, as data: 25 tables, 40 foreign keys, 30 Prisma migrations, 2,000 seeded rows, and 5,000 rows in four
 * tables that people have made and a reset must keep. Nothing here is random, so every machine measures the same one.
 */

/** A reference: column, and the table whose `id` it holds. */
interface Reference {
  readonly column: string;
  readonly table: string;
}

interface BenchTable {
  readonly name: string;
  readonly references: readonly Reference[];
  /** Columns beside `id`, references and `created_at`: name, SQL type, Prisma type. */
  readonly columns: readonly (readonly [name: string, sql: string, prisma: string])[];
}

const seededTables = 21;
export const seededRows = 2000;

/** Rows that must survive, by table. */
export const keptCounts: Readonly<Record<string, number>> = {
  accounts: 100,
  people: 1000,
  memberships: 2400,
  notes: 1500,
};
export const keptRows = Object.values(keptCounts).reduce((sum, rows) => sum + rows, 0);

const seededName = (index: number): string => `catalogue_${String(index).padStart(2, "0")}`;
const refersTo = (table: string): Reference => ({ column: `${table}_id`, table });

/** In the order of creation: a table refers only to earlier ones. */
const tables: readonly BenchTable[] = [
  ...Array.from({ length: seededTables }, (_, at) => at + 1).map((index): BenchTable => ({
    name: seededName(index),
    references: [
      ...(index > 1 ? [refersTo(seededName(index - 1))] : []),
      ...(index > 9 ? [refersTo(seededName(index - 9))] : []),
    ],
    columns: [
      ["key", "TEXT NOT NULL UNIQUE", "String @unique"],
      ["title", "TEXT NOT NULL", "String"],
      ["position", "INTEGER NOT NULL", "Int"],
      ["details", "JSONB NOT NULL DEFAULT '{}'", 'Json @default("{}")'],
    ],
  })),
  {
    name: "accounts",
    references: [refersTo(seededName(1))],
    columns: [
      ["key", "TEXT NOT NULL UNIQUE", "String @unique"],
      ["title", "TEXT NOT NULL", "String"],
      ["details", "JSONB NOT NULL DEFAULT '{}'", 'Json @default("{}")'],
    ],
  },
  {
    name: "people",
    references: [refersTo(seededName(2))],
    columns: [
      ["email", "TEXT NOT NULL UNIQUE", "String @unique"],
      ["title", "TEXT NOT NULL", "String"],
      ["details", "JSONB NOT NULL DEFAULT '{}'", 'Json @default("{}")'],
    ],
  },
  {
    name: "memberships",
    references: [refersTo("accounts"), refersTo("people"), refersTo(seededName(3))],
    columns: [["role", "TEXT NOT NULL", "String"]],
  },
  {
    name: "notes",
    references: [refersTo("accounts"), refersTo("people"), refersTo(seededName(4))],
    columns: [
      ["body", "TEXT NOT NULL", "String"],
      ["score", "NUMERIC(12,4) NOT NULL", "Decimal @db.Decimal(12, 4)"],
    ],
  },
];

export const tableCount = tables.length;
export const foreignKeyCount = tables.reduce((sum, { references }) => sum + references.length, 0);

/** What changes after the tables are there: a column, an index, a data migration, as a project's history has them. */
const laterMigrations: readonly (readonly [name: string, sql: string])[] = [
  ["notes_pinned", "ALTER TABLE notes ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT false;"],
  ["index_memberships", "CREATE INDEX memberships_people_id_idx ON memberships (people_id);"],
  ["people_locale", "ALTER TABLE people ADD COLUMN locale TEXT;"],
  [
    "require_locale",
    "UPDATE people SET locale = 'en' WHERE locale IS NULL;\nALTER TABLE people ALTER COLUMN locale SET NOT NULL, ALTER COLUMN locale SET DEFAULT 'en';",
  ],
  ["index_notes", "CREATE INDEX notes_accounts_id_created_at_idx ON notes (accounts_id, created_at);"],
];

/** The migrations in their order: directory name and script. */
export function migrations(): { readonly name: string; readonly sql: string }[] {
  const all = [...tables.map((table) => [`create_${table.name}`, createTable(table)] as const), ...laterMigrations];
  return all.map(([name, sql], at) => ({
    name: `202601${String(at + 1).padStart(2, "0")}120000_${name}`,
    sql: `${sql}\n`,
  }));
}

function createTable({ name, references, columns }: BenchTable): string {
  const lines = [
    "id UUID PRIMARY KEY DEFAULT gen_random_uuid()",
    ...references.map(({ column, table }) => `${column} UUID NOT NULL REFERENCES ${table} (id)`),
    ...columns.map(([column, sql]) => `${column} ${sql}`),
    "created_at TIMESTAMPTZ(6) NOT NULL DEFAULT now()",
  ];
  return `CREATE TABLE ${name} (\n  ${lines.join(",\n  ")}\n);`;
}

/** The seed: literal rows as people write them, references looked up by key. */
export function seedSql(): string {
  return tables
    .slice(0, seededTables)
    .map(({ name, references }, at) => {
      const rows = Math.floor(seededRows / seededTables) + (at < seededRows % seededTables ? 1 : 0);
      const values = Array.from({ length: rows }, (_, row) => {
        const found = references.map(({ table }) => `(SELECT id FROM ${table} WHERE key = '${table}-${row % 90}')`);
        return `  (${[...found, `'${name}-${row}'`, `'Entry ${row} of ${name}'`, row, `'{"weight": ${row}, "tags": ["a", "b"]}'`].join(", ")})`;
      });
      const columns = [...references.map(({ column }) => column), "key", "title", "position", "details"];
      return `INSERT INTO ${name} (${columns.join(", ")}) VALUES\n${values.join(",\n")};`;
    })
    .join("\n\n");
}

/** What people have added: `keptCounts` rows, each referring to seeded ones. Runs on a seeded database without them. */
export function keptSql(): string {
  const id = (kind: string, n: string): string =>
    `('${kind}000000-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;
  const seeded = (index: number, n: string): string =>
    `(SELECT id FROM ${seededName(index)} WHERE key = '${seededName(index)}-' || (${n}) % 90)`;
  const times = "timestamptz '2026-03-01 08:00:00.123456+00' + n * interval '1 minute 1 microsecond'";
  const { accounts, people, memberships, notes } = keptCounts;
  return `
INSERT INTO accounts (id, ${seededName(1)}_id, key, title, details, created_at)
SELECT ${id("aa", "n")}, ${seeded(1, "n")}, 'account-' || n, 'Account ' || n, jsonb_build_object('seats', n, 'plan', 'team'), ${times}
FROM generate_series(1, ${accounts}) n;
INSERT INTO people (id, ${seededName(2)}_id, email, title, details, created_at)
SELECT ${id("bb", "n")}, ${seeded(2, "n")}, 'person' || n || '@example.com', 'Person ' || n, jsonb_build_object('step', n, 'theme', 'dark'), ${times}
FROM generate_series(1, ${people}) n;
INSERT INTO memberships (id, accounts_id, people_id, ${seededName(3)}_id, role, created_at)
SELECT ${id("cc", "n")}, ${id("aa", `1 + n % ${accounts}`)}, ${id("bb", `1 + n % ${people}`)}, ${seeded(3, "n")}, (ARRAY['admin', 'member', 'viewer'])[1 + n % 3], ${times}
FROM generate_series(1, ${memberships}) n;
INSERT INTO notes (id, accounts_id, people_id, ${seededName(4)}_id, body, score, created_at)
SELECT ${id("dd", "n")}, ${id("aa", `1 + n % ${accounts}`)}, ${id("bb", `1 + n % ${people}`)}, ${seeded(4, "n")}, repeat('Note ' || n || '. ', 20), n * 1.0625, ${times}
FROM generate_series(1, ${notes}) n;`;
}

/** The same tables for Prisma's client, so that its `generate` has as much to do as in a real project. */
export function prismaSchema(): string {
  const modelOf = (name: string): string => name.replaceAll(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
  const models = tables.map(({ name, references, columns }) => {
    const incoming = tables.filter((other) => other.references.some(({ table }) => table === name));
    const lines = [
      'id String @id @default(dbgenerated("gen_random_uuid()")) @db.Uuid',
      ...references.flatMap(({ column, table }) => [
        `${column} String @db.Uuid`,
        `${table} ${modelOf(table)} @relation(fields: [${column}], references: [id])`,
      ]),
      ...columns.map(([column, , type]) => `${column} ${type}`),
      "created_at DateTime @default(now()) @db.Timestamptz(6)",
      ...(name === "notes" ? ["pinned Boolean @default(false)"] : []),
      ...(name === "people" ? ['locale String @default("en")'] : []),
      ...incoming.map((other) => `${other.name} ${modelOf(other.name)}[]`),
    ];
    return `model ${modelOf(name)} {\n  ${lines.join("\n  ")}\n\n  @@map("${name}")\n}`;
  });
  return models.join("\n\n");
}
