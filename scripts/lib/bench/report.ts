import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { textTable } from "../text-table.ts";
import type { AreaResult, Figure } from "./area.ts";
import { keptRows } from "./database.ts";
import type { WayResult } from "./measure.ts";
import { type Ratio, ratios, spreadOf } from "./statistics.ts";

/** What the figures depend on. */
export interface Machine {
  readonly cpus: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** null when no area needed a server. */
  readonly postgres: string | null;
  /** Of the last minute, before anything was measured. */
  readonly load: number;
}

export function machineNow(): Omit<Machine, "postgres"> {
  const [first, ...others] = cpus();
  return {
    cpus: others.length + 1,
    cpu: first?.model ?? "unknown",
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/** The document of `--json`. */
export function document(machine: Machine, runs: number, areas: ReadonlyMap<string, AreaResult>): object {
  const entries = [...areas].map(([name, { title, ways, comparisons, figures = [], missing }]) => [
    name,
    {
      title,
      ways: ways.map((way) => ({ ...way, ...spreadOf(way.runsMs) })),
      ratios: ratios(ways, comparisons),
      figures,
      missing,
    },
  ]);
  return { format: 1, machine, runs, areas: Object.fromEntries(entries) };
}

export function machineLine({ cpus, cpu, memoryBytes, system, node, postgres, load }: Machine): string {
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GB`;
  return [
    `${cpus} x ${cpu}`,
    memory,
    system,
    `node ${node}`,
    ...(postgres === null ? [] : [`PostgreSQL ${postgres}, fsync on`]),
    `load ${load}`,
  ].join(" | ");
}

/** Lines of one area: what each way took, then how many times as long as another. */
export function areaLines({ title, ways, comparisons, figures = [], missing }: AreaResult, runs: number): string[] {
  const compared = ratios(ways, comparisons);
  return [
    title,
    "",
    ...(ways.length === 0 ? [] : wayLines(ways, runs)),
    ...(figures.length === 0 ? [] : figureLines(figures)),
    ...(compared.length === 0 ? [] : ["", ...ratioLines(compared)]),
    ...(missing.length === 0 ? [] : ["", ...missing.map(({ name, remedy }) => `  skipped: ${name} (${remedy})`)]),
  ];
}

function wayLines(ways: readonly WayResult[], runs: number): string[] {
  const survive = ways.some(({ kept }) => kept !== null);
  const head = [
    `whole process, ms, ${runs} runs in turns`,
    "median",
    "min",
    "max",
    "peak MB",
    ...(survive ? ["rows kept"] : []),
  ];
  const rows = ways.map(({ name, runsMs, peakBytes, kept }) => {
    const { median, min, max } = spreadOf(runsMs);
    const rowsKept = kept === null ? "" : `${kept} of ${keptRows}`;
    const peak = peakBytes === null ? "" : (peakBytes / 1e6).toFixed(0);
    return [name, ...[median, min, max].map((value) => value.toFixed(0)), peak, ...(survive ? [rowsKept] : [])];
  });
  return textTable([head, null, ...rows]);
}

function figureLines(figures: readonly Figure[]): string[] {
  const rows = figures.map(({ name, goal, measured }) => [name, goal, measured]);
  return textTable([["figure", "goal", "measured"], null, ...rows]);
}

function ratioLines(compared: readonly Ratio[]): string[] {
  const rows = compared.map(({ of, to, aim, median, min, max }) => [
    `${of} / ${to}`,
    ...[median, min, max].map((value) => value.toFixed(2)),
    aim ?? "",
  ]);
  return textTable([["times as long, pair by pair", "median", "min", "max", "aim"], null, ...rows]);
}
