import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { connect, createDatabase, runNode, tempDir, writeTree } from "../../packages/testkit/src/index.ts";
import { keptCounts, keptSql, migrations, seedSql } from "../lib/bench/database.ts";
import { inTurns } from "../lib/bench/measure.ts";
import { ratios, spreadOf } from "../lib/bench/statistics.ts";

const bench = fileURLToPath(new URL("../bench.ts", import.meta.url));

test("the database of the bench is the one that the figures speak of", async () => {
  const { url } = await createDatabase(15, { prefix: "bench" });
  const client = await connect(url);
  try {
    for (const { sql } of migrations()) await client.query(sql);
    await client.query(seedSql());
    const tables = await client.query<{ name: string }>(
      "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
    );
    const count = async (sql: string): Promise<number> => {
      const result = await client.query<{ count: number }>(`select (${sql})::int as count`);
      return result.rows[0]?.count ?? -1;
    };
    const rows = tables.rows.map(({ name }) => `(select count(*) from ${name})`).join(" + ");
    expect(migrations()).toHaveLength(30);
    expect(tables.rows).toHaveLength(25);
    expect(await count("select count(*) from pg_constraint where contype = 'f'")).toBe(40);
    expect(await count(rows)).toBe(2000);
    await client.query(keptSql());
    expect(await count(rows)).toBe(7000);
    for (const [table, wanted] of Object.entries(keptCounts)) {
      expect(await count(`select count(*) from ${table}`)).toBe(wanted);
    }
  } finally {
    await client.end();
  }
});

test("programs run in turns, are counted after each run, and a failing one is shown with what it said", async () => {
  const directory = await tempDir();
  const log = join(directory, "log");
  const script = (name: string, more = ""): string =>
    `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(log)}, "${name}"); ${more}`;
  await writeTree(directory, {
    "a.mjs": script("a"),
    "b.mjs": script("b"),
    "c.mjs": script("c", "throw new Error('of c')"),
  });
  const way = (name: string, counts: number[] = []): Parameters<typeof inTurns>[0][number] => ({
    name,
    program: { entry: join(directory, `${name}.mjs`), cwd: directory },
    ...(counts.length === 0 ? {} : { count: () => Promise.resolve(counts.shift() ?? -1) }),
  });
  const options = { runs: 2, tell: () => {} };
  const results = await inTurns([way("a"), way("b", [5, 3, 4])], options);
  // One round to warm up, two that count.
  expect(await readFile(log, "utf8")).toBe("ababab");
  expect(results.map(({ name, runsMs, kept }) => [name, runsMs.length, kept])).toEqual([
    ["a", 2, null],
    ["b", 2, 3],
  ]);
  await expect(inTurns([way("c")], options)).rejects.toThrow("of c");
});

test("ratios are made pair by pair", () => {
  const ways = [
    { name: "slow", runsMs: [10, 40, 90], peakBytes: null, kept: null },
    { name: "fast", runsMs: [10, 20, 30], peakBytes: null, kept: null },
  ];
  expect(
    ratios(ways, [
      { of: "slow", to: "fast", aim: null },
      { of: "slow", to: "absent", aim: null },
    ]),
  ).toEqual([{ of: "slow", to: "fast", aim: null, median: 2, min: 1, max: 3 }]);
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
});

test("an area that does not exist, a flag that is misspelt and a count that is none measure nothing", async () => {
  for (const args of [["resets"], ["--run", "3"], ["--runs", "0"], ["--pg", "16"], ["--rows", "1"]]) {
    const result = await runNode(bench, args, { cwd: await tempDir() });
    expect(result).toMatchObject({ code: 64, stdout: "" });
    expect(result.stderr).toContain("pnpm bench [reset] [startup] [embedded] [volume] [identity]");
  }
});
