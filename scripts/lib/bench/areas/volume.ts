import { spawnSync } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Area, AreaResult, Bench } from "../area.ts";
import { inTurns, type Program, timeOf, type Way } from "../measure.ts";
import { benchDirectory } from "../paths.ts";
import type { Missing, Replant } from "../replant.ts";
import { type BenchServer, createDatabase } from "../server.ts";
import type { Comparison } from "../statistics.ts";
import { volumeCounts, volumeRows, writeVolumeProject } from "../volume.ts";

const dumpName = "pg_dump -Fd -j2 -Z1";
const loadName = "pg_restore -j2";
const dumps = join(benchDirectory, "dumps");

/** A backup of a whole database of many rows, reading it to its end, and restoring it; what PostgreSQL's own tools take. */
export const volumeArea: Area = {
  name: "volume",
  measure: async (bench) => {
    const server = await bench.server();
    const ways: Way[] = [];
    for (const replant of bench.replants) ways.push(...(await replantWays(bench, { server, replant })));
    const missing = missingTools(server);
    if (missing.length === 0) ways.push(...(await toolWays(bench, server)));
    return {
      title: await titleOf(bench, server),
      ways: await inTurns(ways, bench),
      comparisons: comparisonsOf(bench),
      missing,
    };
  },
};

function comparisonsOf({ replants }: Bench): Comparison[] {
  return replants.flatMap(({ name }) => [
    { of: `${name} backup`, to: dumpName, aim: "<= 0.6" },
    { of: `${name} restore`, to: loadName, aim: "<= 1.0" },
  ]);
}

async function titleOf({ rows }: Bench, server: BenchServer): Promise<AreaResult["title"]> {
  const [size] = await server.on(source, (session) =>
    session.query<{ mb: number }>("select (pg_database_size(current_database()) / 1000000)::int as mb"),
  );
  return `volume: ${rows} rows, a database of ${size?.mb ?? 0} MB`;
}

const source = "volume";

async function makeDatabase(
  bench: Bench,
  server: BenchServer,
  program: (args: readonly string[]) => Program,
): Promise<void> {
  bench.tell(`making ${bench.rows} rows`);
  await createDatabase(server, source);
  await timeOf(program(["migrate", "up"]));
  await server.on(source, async (session) => {
    for (const sql of volumeRows(bench.rows).split(";\n")) await session.script(sql);
  });
}

/** Each restore takes the place of the database that was backed up, so all three go round and round. */
async function replantWays(
  bench: Bench,
  { server, replant }: { server: BenchServer; replant: Replant },
): Promise<Way[]> {
  const project = join(replant.project, "../volume");
  await writeVolumeProject(project);
  const database = `${source}_${replant.name.replaceAll(/\W+/g, "_")}`;
  const program = (args: readonly string[], url: string): Program => ({
    ...replant.program(args, { DATABASE_URL: url }),
    cwd: project,
  });
  const exists = await server.on(undefined, (session) =>
    session.query("select from pg_database where datname = $1", [source]),
  );
  if (exists.length === 0) await makeDatabase(bench, server, (args) => program(args, server.url(source)));
  await createDatabase(server, database, source);
  const url = server.url(database);
  const prepare = (): Promise<void> => server.on(database, (session) => session.script("checkpoint"));
  return [
    { name: `${replant.name} backup`, program: program(["backup", "--all"], url), prepare },
    { name: `${replant.name} verify`, program: program(["backup", "verify"], url) },
    {
      name: `${replant.name} restore`,
      program: program(["restore", `--yes=${database}`], url),
      prepare,
      check: () => assertRows(bench, { server, database }),
    },
  ];
}

async function toolWays(bench: Bench, server: BenchServer): Promise<Way[]> {
  const [dump, loaded] = [join(dumps, "volume"), `${source}_loaded`];
  const cwd = benchDirectory;
  return [
    {
      name: dumpName,
      program: { command: "pg_dump", entry: "-Fd", args: ["-j2", "-Z1", "-f", dump, server.url(source)], cwd },
      prepare: async () => {
        await rm(dump, { recursive: true, force: true });
        await mkdir(dumps, { recursive: true });
        await server.on(source, (session) => session.script("checkpoint"));
      },
    },
    {
      name: loadName,
      program: { command: "pg_restore", entry: "-j2", args: ["-d", server.url(loaded), dump], cwd },
      prepare: async () => {
        await server.on(undefined, (session) => session.script(`drop database if exists ${loaded}`));
        await createDatabase(server, loaded);
      },
      check: () => assertRows(bench, { server, database: loaded }),
    },
  ];
}

async function assertRows(
  { rows }: Bench,
  { server, database }: { server: BenchServer; database: string },
): Promise<void> {
  const counts = Object.keys(volumeCounts(rows)).map((table) => `(select count(*) from ${table})`);
  const [found] = await server.on(database, (session) =>
    session.query<{ rows: number }>(`select (${counts.join(" + ")})::int as rows`),
  );
  if (found?.rows !== rows) throw new Error(`${database} has ${found?.rows} rows instead of ${rows}`);
}

/** PostgreSQL's tools, where they are installed and not older than the server. */
function missingTools({ version }: BenchServer): Missing[] {
  return ["pg_dump", "pg_restore"].flatMap((name) => {
    const { stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
    const major = Number(/\d+/.exec(stdout ?? "")?.[0] ?? 0);
    return major >= Number.parseInt(version, 10) ? [] : [{ name, remedy: "install PostgreSQL's client programs" }];
  });
}
