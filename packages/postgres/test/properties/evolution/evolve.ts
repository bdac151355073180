import type { AskServer } from "../oracle.ts";
import type { Row, TableModel } from "../schema.ts";
import { columnSteps } from "./column-steps.ts";
import { enumSteps } from "./enum-steps.ts";
import { beginEvolution, type Evolution, type Step } from "./evolving.ts";
import type { EvolutionSpec, StepKind } from "./spec.ts";
import { tableSteps } from "./table-steps.ts";

const steps: Readonly<Record<StepKind, Step>> = { ...columnSteps, ...enumSteps, ...tableSteps };

/** Runs the migrations of a case over the rows of live, one row after the other. */
export async function evolve(
  { base, steps: specs }: EvolutionSpec,
  { tables, live, ask }: { tables: readonly TableModel[]; live: ReadonlyMap<string, readonly Row[]>; ask: AskServer },
): Promise<Evolution> {
  const evolution = beginEvolution(base, tables, live);
  for (const [at, { kind, table: place, way }] of specs.entries()) {
    const known = evolution.tables.filter((table) => table.known);
    const table = known[place % known.length];
    if (table !== undefined) await steps[kind]({ evolution, table, way, at, ask });
  }
  return evolution;
}
