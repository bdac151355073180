/*
 * `pnpm bench [area...] [--runs N] [--rows N] [--pg 15|18] [--json]`: whole processes in turns, and how many times as long one takes as another.
 * Ratios travel between machines, milliseconds do not. Nothing here decides anything: no figure fails a run.
 */
import { parseArgs } from "node:util";
import type { PostgresMajor } from "../packages/testkit/src/postgres-binaries.ts";
import type { Area, AreaResult, Bench } from "./lib/bench/area.ts";
import { embeddedArea } from "./lib/bench/areas/embedded.ts";
import { identityArea } from "./lib/bench/areas/identity.ts";
import { resetArea } from "./lib/bench/areas/reset.ts";
import { startupArea } from "./lib/bench/areas/startup.ts";
import { volumeArea } from "./lib/bench/areas/volume.ts";
import { prepareReplants } from "./lib/bench/replant.ts";
import { areaLines, document, machineLine, machineNow } from "./lib/bench/report.ts";
import { type BenchServer, startServer } from "./lib/bench/server.ts";

// What takes minutes runs only when it is named.
const usualAreas: readonly Area[] = [resetArea, startupArea, embeddedArea];
const areas: readonly Area[] = [...usualAreas, volumeArea, identityArea];

const options = readOptions();
if (options !== null) await bench(options);

interface Options {
  readonly areas: readonly Area[];
  readonly runs: number;
  readonly rows: number;
  readonly major: PostgresMajor;
  readonly json: boolean;
}

async function bench({ areas: chosen, runs, rows, major, json }: Options): Promise<void> {
  const machine = machineNow();
  const { replants, missing } = await prepareReplants();
  const results = new Map<string, AreaResult>();
  let server: Promise<BenchServer> | undefined;
  try {
    for (const area of chosen) {
      const around: Bench = {
        runs,
        rows,
        replants,
        server: () => (server ??= startServer(major)),
        tell: (text) => console.error(`${area.name}: ${text}`),
      };
      const result = await area.measure(around);
      results.set(area.name, { ...result, missing: [...result.missing, ...missing] });
    }
  } finally {
    await server?.then((started) => started.stop());
  }
  const facts = { ...machine, postgres: server === undefined ? null : (await server).version };
  if (json) {
    console.log(JSON.stringify(document(facts, runs, results), null, 2));
    return;
  }
  console.log(machineLine(facts));
  for (const result of results.values()) console.log(`\n${areaLines(result, runs).join("\n")}`);
}

/** null after telling what is wrong with the arguments. */
function readOptions(): Options | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        runs: { type: "string", default: "5" },
        rows: { type: "string", default: "1000000" },
        pg: { type: "string", default: "15" },
        json: { type: "boolean", default: false },
      },
    });
    const unknown = positionals.filter((name) => areas.every((area) => area.name !== name));
    if (unknown.length > 0) throw new Error(`there is no area ${unknown.join(", ")}`);
    if (!/^[1-9]\d{0,2}$/.test(values.runs)) throw new Error(`--runs takes a number from 1 to 999`);
    if (!/^[1-9]\d{1,7}$/.test(values.rows)) throw new Error(`--rows takes a number from 10 to 99999999`);
    if (values.pg !== "15" && values.pg !== "18") throw new Error("--pg takes 15 or 18");
    return {
      areas: positionals.length === 0 ? usualAreas : areas.filter(({ name }) => positionals.includes(name)),
      runs: Number(values.runs),
      rows: Number(values.rows),
      major: values.pg === "15" ? 15 : 18,
      json: values.json,
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(
      `pnpm bench [${areas.map(({ name }) => name).join("] [")}] [--runs 5] [--rows 1000000] [--pg 15|18] [--json]`,
    );
    process.exitCode = 64;
    return null;
  }
}
