import * as fc from "fast-check";
import type { CaseSpec } from "../spec.ts";
import { caseSpec } from "../spec.ts";

export const stepKinds = [
  "add-nullable", "add-default", "add-not-null", "add-computed", "add-bare", "drop-column", "rename-column", "retype",
  "not-null", "backfill", "check", "unique", "out-of-json", "label-added", "label-renamed", "label-removed",
  "rename-table", "drop-table", "split", "merge", "own-row", "delete",
] as const; // prettier-ignore

export type StepKind = (typeof stepKinds)[number];

/** One migration. It is left out where the tables, as they are by then, have no place for it. */
export interface StepSpec {
  readonly kind: StepKind;
  /** Modulo the kept tables that are left. */
  readonly table: number;
  /** Modulo the columns or ways that there are. */
  readonly way: number;
}

export interface EvolutionSpec {
  readonly base: CaseSpec;
  readonly steps: readonly StepSpec[];
}

const step: fc.Arbitrary<StepSpec> = fc.record({
  // What crosses tables finds a place less often.
  kind: fc.constantFrom(...stepKinds, "split", "merge", "merge", "merge"),
  table: fc.nat(3),
  way: fc.nat(11),
});

/**
 * Both databases begin with one schema; migrations are all that changes it. So no key is in one of them only, and a reference must be
 * there where both have rows that it can mean.
 */
const base = caseSpec.map((spec): CaseSpec => {
  const seeded = spec.seeded.slice(0, 2);
  const count = seeded.length;
  return {
    ...spec,
    seeded: seeded.map((table) => ({ ...table, slug: false, live: some(table.live), fresh: some(table.fresh) })),
    kept: spec.kept.map((table, index) => ({
      ...table,
      changes: [],
      refs: table.refs.map((ref) => ({ ...ref, notNull: ref.notNull && ref.target % (count + index) < count })),
    })),
  };
});

const some = (codes: readonly number[]): readonly number[] => (codes.length === 0 ? [0] : codes);

export const evolutionSpec: fc.Arbitrary<EvolutionSpec> = fc.record({
  base,
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
});
