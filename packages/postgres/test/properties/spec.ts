import * as fc from "fast-check";
import { hostileNames, hostileTypes, keyTypes } from "./values.ts";

/** A table that seeds fill: its rows have other ids in the new database, and the same codes. */
export interface SeededSpec {
  readonly name: number;
  readonly id: "uuid" | "identity" | "always" | "serial";
  readonly code: number;
  /** The natural key is `(parent, code)` with a row of an earlier seeded table. */
  readonly chained: boolean;
  readonly live: readonly number[];
  readonly fresh: readonly number[];
  /** The new schema has a second natural key, which old rows know nothing of. */
  readonly slug: boolean;
}

export type IdKind = "uuid" | "identity" | "always" | "serial" | "natural" | "composite" | "none";

export type Change =
  | "default"
  | "nullable"
  | "not-null-default"
  | "not-null"
  | "drop-column"
  | "text-to-int"
  | "text-to-varchar"
  | "text-to-domain"
  | "int-to-bigint"
  | "scale"
  | "milliseconds"
  | "longer-chars"
  | "label-removed"
  | "label-added"
  | "set-not-null"
  | "unique"
  | "deferred-unique"
  | "check"
  | "drop-table";

export interface RefSpec {
  /** Modulo what there is: seeded tables, then kept ones. */
  readonly target: number;
  readonly byCode: boolean;
  readonly notNull: boolean;
  readonly onMissing: "error" | "null" | "drop-row";
  readonly clause: "" | "deferrable" | "deferrable initially deferred" | "on update cascade" | "on delete set null" | "on update restrict" | "on update set null"; // prettier-ignore
}

export interface RowSpec {
  readonly keep: boolean;
  readonly unique: number | null;
  readonly values: readonly number[];
  readonly refs: readonly (number | null)[];
  readonly plain: number;
}

export interface KeptSpec {
  readonly name: number;
  readonly schema: number;
  readonly id: IdKind;
  readonly payload: readonly number[];
  readonly refs: readonly RefSpec[];
  /** Type of a nullable unique column; null for none. */
  readonly unique: number | null;
  readonly someOnly: boolean;
  readonly onConflict: "kept" | "seed" | "error";
  readonly rows: readonly RowSpec[];
  readonly seeds: readonly (RowSpec & { readonly sameId: boolean })[];
  readonly changes: readonly Change[];
}

/** A reference that no order of tables satisfies: to the same table, or against the direction of the others. */
export interface LoopSpec {
  /** Modulo the kept tables. */
  readonly from: number;
  readonly to: number;
  readonly onMissing: RefSpec["onMissing"];
  /** By the row's place, modulo; null for none. */
  readonly rows: readonly (number | null)[];
}

export interface CaseSpec {
  readonly seeded: readonly SeededSpec[];
  readonly kept: readonly KeptSpec[];
  readonly loops: readonly LoopSpec[];
}

const name = fc.nat(hostileNames.length - 1);
const codes = fc.uniqueArray(fc.nat(5), { maxLength: 5 });

const seeded: fc.Arbitrary<SeededSpec> = fc.record({
  name,
  id: fc.constantFrom("uuid", "identity", "always", "serial"),
  code: fc.nat(keyTypes.length - 1),
  chained: fc.boolean(),
  live: codes,
  fresh: fc.oneof({ weight: 2, arbitrary: fc.constant([0, 1, 2, 3, 4, 5]) }, codes),
  slug: fc.boolean(),
});

const ref: fc.Arbitrary<RefSpec> = fc.record({
  target: fc.nat(11),
  byCode: fc.boolean(),
  notNull: fc.boolean(),
  onMissing: fc.constantFrom("error", "null", "drop-row"),
  clause: fc.constantFrom(
    "", "deferrable", "deferrable initially deferred", "on update cascade", "on delete set null", "on update restrict", "on update set null",
  ), // prettier-ignore
});

const row: fc.Arbitrary<RowSpec> = fc.record({
  keep: fc.boolean(),
  unique: fc.option(fc.nat(4), { nil: null }),
  values: fc.array(fc.nat(11), { minLength: 5, maxLength: 5 }),
  refs: fc.array(fc.option(fc.nat(5), { nil: null, freq: 5 }), { minLength: 3, maxLength: 3 }),
  plain: fc.nat(7),
});

const change = fc.constantFrom<Change>(
  "default", "nullable", "not-null-default", "not-null", "drop-column", "text-to-int", "text-to-varchar", "text-to-domain",
  "int-to-bigint", "scale", "milliseconds", "longer-chars", "label-removed", "label-added", "set-not-null", "unique",
  "deferred-unique", "check", "drop-table",
); // prettier-ignore

const kept: fc.Arbitrary<KeptSpec> = fc.record({
  name,
  schema: fc.nat(2),
  id: fc.constantFrom("uuid", "identity", "always", "serial", "natural", "composite", "none"),
  payload: fc.uniqueArray(fc.nat(hostileTypes.length - 1), { maxLength: 5 }),
  refs: fc.array(ref, { maxLength: 3 }),
  unique: fc.option(fc.nat(keyTypes.length - 1), { nil: null }),
  someOnly: fc.boolean(),
  onConflict: fc.constantFrom("kept", "kept", "seed", "error"),
  rows: fc.array(row, { maxLength: 5 }),
  seeds: fc.array(
    fc.tuple(row, fc.boolean()).map(([spec, sameId]) => ({ ...spec, sameId })),
    { maxLength: 3 },
  ),
  changes: fc.uniqueArray(change, { maxLength: 2 }),
});

const loop: fc.Arbitrary<LoopSpec> = fc.record({
  from: fc.nat(3),
  to: fc.nat(3),
  onMissing: fc.constantFrom("error", "null", "drop-row"),
  rows: fc.array(fc.option(fc.nat(4), { nil: null, freq: 5 }), { minLength: 5, maxLength: 5 }),
});

/** 2 to 6 tables with rows in both databases, and how the schema moved on between them. */
export const caseSpec: fc.Arbitrary<CaseSpec> = fc.record({
  seeded: fc.array(seeded, { minLength: 1, maxLength: 3 }),
  kept: fc.array(kept, { minLength: 1, maxLength: 3 }),
  loops: fc.array(loop, { maxLength: 2 }),
});
