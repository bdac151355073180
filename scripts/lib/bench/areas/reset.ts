import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Area, Bench } from "../area.ts";
import { foreignKeyCount, keptCounts, keptRows, migrations, seededRows, tableCount } from "../database.ts";
import { inTurns, type Program, timeOf, type Way } from "../measure.ts";
import { benchDirectory, floor } from "../paths.ts";
import { prismaEntry, prismaMissing, type Replant } from "../replant.ts";
import { type BenchServer, countKept, createByHand, createDatabase, refill } from "../server.ts";
import type { Comparison } from "../statistics.ts";

const baseline = "hand_baseline";
const byHand = "by hand";
const byHandReady = "by hand, candidate ready";
const prisma = "prisma 6.19 migrate reset";

/** A warm reset of a small project against what people do today, and against the same cycle as a script for this one database. */
export const resetArea: Area = {
  name: "reset",
  measure: async (bench) => {
    const server = await bench.server();
    bench.tell("making the databases");
    await createByHand(server, baseline);
    const ways = [
      await handWay(server, { name: byHand, live: "hand", ready: false }),
      await handWay(server, { name: byHandReady, live: "hand_ready", ready: true }),
    ];
    for (const replant of bench.replants) {
      ways.push(
        await commandWay(server, { name: replant.name, database: databaseOf(replant), command: resetOf(replant) }),
      );
    }
    const peer = prismaReset(bench);
    if (peer !== null) ways.push(await commandWay(server, { name: prisma, database: "prisma", command: peer }));
    return {
      title: `warm reset: ${tableCount} tables, ${foreignKeyCount} foreign keys, ${migrations().length} migrations, ${seededRows} seeded rows, ${keptRows} rows to keep`,
      ways: await inTurns(ways, bench),
      comparisons: bench.replants.flatMap(comparisonsOf),
      missing: peer === null ? [prismaMissing] : [],
    };
  },
};

type Command = (url: string) => Program;

const databaseOf = ({ name }: Replant): string => name.replaceAll(/\W+/g, "_");
const resetOf =
  (replant: Replant): Command =>
  (url) =>
    replant.program(["reset"], { DATABASE_URL: url });

/** As a person runs it: it also generates the client and runs the seed. */
function prismaReset({ replants: [first] }: Bench): Command | null {
  const entry = prismaEntry();
  if (entry === null || first === undefined) return null;
  const env = { CHECKPOINT_DISABLE: "1", PRISMA_HIDE_UPDATE_MESSAGE: "1", NO_COLOR: "1" };
  const args = ["migrate", "reset", "--force"];
  return (url) => ({ entry, args, cwd: first.project, env: { ...env, DATABASE_URL: url } });
}

function comparisonsOf({ name }: Replant): Comparison[] {
  return [
    { of: name, to: byHand, aim: null },
    { of: name, to: byHandReady, aim: "<= 1.3" },
    { of: prisma, to: name, aim: ">= 5" },
  ];
}

/** A way that resets the database of a URL. Its first reset, which fills caches and baselines, is not measured. */
async function commandWay(
  server: BenchServer,
  { name, database, command }: { name: string; database: string; command: Command },
): Promise<Way> {
  await createDatabase(server, database);
  const program = command(server.url(database));
  await timeOf(program);
  return { name, program, prepare: () => prepare(server, database), count: () => server.on(database, countKept) };
}

async function handWay(
  server: BenchServer,
  { name, live, ready }: { name: string; live: string; ready: boolean },
): Promise<Way> {
  const directory = join(benchDirectory, live);
  await mkdir(directory, { recursive: true });
  await createDatabase(server, live, baseline);
  const candidate = `${live}_next`;
  const options = {
    url: server.url(),
    live,
    baseline,
    candidate,
    directory,
    tables: Object.keys(keptCounts),
    clone: !ready,
  };
  return {
    name,
    program: { entry: floor("cycle.mjs"), args: [JSON.stringify(options)], cwd: directory },
    prepare: async () => {
      // What was replaced goes later, when nobody waits.
      await server.on(undefined, (session) => session.script(`drop database if exists ${live}_old`));
      if (ready) await createDatabase(server, candidate, baseline);
      await prepare(server, live);
    },
    count: () => server.on(live, countKept),
  };
}

/** Rows to keep are put back where the last run lost them; a checkpoint keeps that work out of what is measured next. */
async function prepare(server: BenchServer, database: string): Promise<void> {
  await server.on(database, async (session) => {
    await refill(session);
    await session.script("checkpoint");
  });
}
