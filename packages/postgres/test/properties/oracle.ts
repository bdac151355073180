import type { KeptSpec } from "./spec.ts";
import type { CaseModel, RefModel, Row, TableModel } from "./schema.ts";

/*
 * What must become of every kept row, decided slowly and in the open: plain loops over the texts of both databases, and the server
 * asked for nothing but what a text becomes in another type.
 */

/** What the server makes of a text in a type; null when it refuses. */
export type AskServer = (type: string, text: string) => Promise<string | null>;

export type Rows = ReadonlyMap<string, readonly Row[]>;

/** What a keep rule says of a table, and the constraints of its new shape that may refuse rows. */
export interface KeptTable extends Pick<KeptSpec, "someOnly" | "onConflict"> {
  readonly key: string;
  /** Column that must be greater than zero. */
  readonly positive: string | null;
  readonly unique: string | null;
}

export interface Case {
  readonly kept: readonly KeptTable[];
  readonly model: Readonly<Record<keyof CaseModel, { readonly tables: readonly TableModel[] }>>;
  readonly live: Rows;
  readonly fresh: Rows;
  /** Rows of live of which no value can be made in the new schema. */
  readonly refused?: ReadonlySet<Row>;
}

export interface Expected {
  /** By the table's key: what became of its kept rows. Tables that cannot be carried at all are absent. */
  readonly counts: ReadonlyMap<string, { carried: number; dropped: number; quarantined: number }>;
  readonly impossible: ReadonlyMap<string, number>;
  /** By the table's key: all rows that the new database has in the end. */
  readonly rows: ReadonlyMap<string, readonly Row[]>;
}

interface Kept {
  readonly table: TableModel;
  readonly old: Row;
  /** Values in the new schema; references as they were until they are settled. */
  readonly values: Record<string, string | null>;
  readonly nulled: Set<string>;
  gone: "dropped" | "quarantined" | null;
  /** The row of the seeds that stands in for this one. */
  instead: Record<string, string | null> | null;
  replaces: Record<string, string | null> | null;
}

/** Equal keys have equal texts after this: numbers lose their last zeros, padded texts their blanks. */
function canonical(table: TableModel, column: string, text: string | null | undefined): string | null {
  if (text == null) return null;
  const type = table.columns.find(({ name }) => name === column)?.type ?? "";
  if (type === "numeric") return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return type.startsWith("char(") ? text.trimEnd() : text;
}

const keyOf = (table: TableModel, row: Row, columns: readonly string[]): string | null => {
  const parts = columns.map((name) => canonical(table, name, row[name]));
  return parts.includes(null) ? null : JSON.stringify(parts);
};

class World {
  readonly #model: Case["model"];
  readonly #live: Rows;
  readonly #rules: readonly KeptTable[];
  readonly #refused: ReadonlySet<Row>;
  readonly fresh: ReadonlyMap<string, Record<string, string | null>[]>;
  readonly kept: Kept[] = [];
  readonly impossible = new Map<string, number>();
  /** Rows of tables that cannot be carried at all: nothing stands in for them. */
  readonly #lost = new Set<Row>();

  constructor({ kept, model, live, fresh, refused = new Set() }: Case) {
    this.#model = model;
    this.#live = live;
    this.#rules = kept;
    this.#refused = refused;
    this.fresh = new Map([...fresh].map(([key, rows]) => [key, rows.map((row) => ({ ...row }))]));
  }

  newTable(key: string): TableModel | undefined {
    return this.#model.fresh.tables.find((table) => table.key === key);
  }

  oldTable(key: string): TableModel | undefined {
    return this.#model.live.tables.find((table) => table.key === key);
  }

  async readKept(ask: AskServer): Promise<void> {
    for (const { key, someOnly } of this.#rules) {
      const rows = (this.#live.get(key) ?? []).filter((row) => !someOnly || row["keep"] === "true");
      const table = this.newTable(key);
      const old = this.oldTable(key);
      const lacking = table?.columns.some((column) => column.notNull && column.fallback === null && column.rest === "" && !old?.columns.some((other) => other.name === column.name)); // prettier-ignore
      if (table === undefined || lacking === true) {
        this.impossible.set(key, rows.length);
        for (const row of rows) this.#lost.add(row);
        continue;
      }
      for (const row of rows) {
        const kept = await castRow(table, old, row, ask);
        if (this.#refused.has(row)) kept.gone = "quarantined";
        this.kept.push(kept);
      }
    }
  }

  /** The live row that a reference means. */
  #meant(ref: RefModel, from: Row): Row | undefined {
    const target = this.oldTable(ref.target);
    if (target === undefined) return undefined;
    const texts = ref.columns.map((column, i) => canonical(target, ref.targetColumns[i] ?? "", from[column]));
    return this.#live.get(ref.target)?.find((row) => keyOf(target, row, ref.targetColumns) === JSON.stringify(texts));
  }

  /** The seeds' row of the same meaning, through natural keys that are references themselves. */
  counterpart(key: string, old: Row): Record<string, string | null> | undefined {
    const [before, after] = [this.oldTable(key), this.newTable(key)];
    if (before === undefined || after === undefined) return undefined;
    const natural = before.natural;
    const sameShape = natural !== null && after.natural !== null && natural.join("\0") === after.natural.join("\0");
    if (!sameShape) {
      return undefined;
    }
    const wanted = natural.map((column) => {
      const via = before.refs.find((ref) => ref.columns.length === 1 && ref.columns[0] === column);
      if (via === undefined) return canonical(after, column, old[column]);
      const parent = this.#meant(via, old);
      const there = parent === undefined ? undefined : this.counterpart(via.target, parent);
      return canonical(after, column, there?.[via.targetColumns[0] ?? ""]);
    });
    return this.fresh.get(key)?.find((row) => keyOf(after, row, natural) === JSON.stringify(wanted));
  }

  /** Values that a kept row's reference has in the new database; null when what it means is not there. */
  resolve(row: Kept, ref: RefModel): readonly (string | null)[] | null {
    const old = this.#meant(ref, row.old);
    if (old === undefined || this.#lost.has(old)) return null;
    const keptTarget = this.kept.find((other) => other.table.key === ref.target && other.old === old);
    if (keptTarget !== undefined) {
      const there = keptTarget.instead ?? (keptTarget.gone === null ? keptTarget.values : null);
      return there === null ? null : ref.targetColumns.map((name) => there[name] ?? null);
    }
    const there = this.counterpart(ref.target, old);
    if (there === undefined) return null;
    // What a kept row replaced means that row from now on.
    if (this.kept.some((other) => other.replaces === there && other.gone === null)) return null;
    return ref.targetColumns.map((name) => there[name] ?? null);
  }

  /** Applies the rules for what is missing, round by round, until nothing changes: in a round all references see the same state. */
  settleReferences(): void {
    for (let changed = true; changed;) {
      const missing = this.kept.flatMap((row) =>
        this.#standing(row)
          .filter((ref) => this.resolve(row, ref) === null)
          .map((ref) => ({ row, ref })),
      );
      changed = missing.length > 0;
      for (const { row, ref } of missing) {
        if (ref.onMissing === "null") row.nulled.add(ref.name);
        else row.gone ??= ref.onMissing === "drop-row" ? "dropped" : "quarantined";
      }
    }
    this.#translate();
  }

  /** References of a row that still have to mean something. */
  #standing(row: Kept): readonly RefModel[] {
    if (row.gone !== null) return [];
    return row.table.refs.filter(
      (ref) => !row.nulled.has(ref.name) && ref.columns.every((name) => row.old[name] != null),
    );
  }

  /** Puts the final values of references in; parents come before their children. */
  #translate(): void {
    for (const row of this.kept) {
      for (const ref of row.table.refs.filter(({ name }) => row.nulled.has(name))) {
        for (const name of ref.columns) row.values[name] = null;
      }
      for (const ref of this.#standing(row)) {
        const values = this.resolve(row, ref);
        if (values === null) continue;
        for (const [i, name] of ref.columns.entries()) row.values[name] = values[i] ?? null;
      }
    }
  }

  settleConflicts(): void {
    for (const { key, onConflict } of this.#rules) {
      const table = this.newTable(key);
      if (table === undefined) continue;
      const byKey = (row: Kept, key: readonly string[]): Record<string, string | null>[] => {
        const mine = keyOf(table, row.values, key);
        return (this.fresh.get(table.key) ?? []).filter((seed) => mine !== null && mine === keyOf(table, seed, key));
      };
      const collisions = (row: Kept): Record<string, string | null>[] => [
        ...new Set(table.keys.flatMap((key) => byKey(row, key))),
      ];
      const mine = (): Kept[] => this.kept.filter((row) => row.table === table && row.gone === null);
      if (onConflict === "error") {
        for (const row of mine()) if (collisions(row).length > 0) row.gone = "quarantined";
        continue;
      }
      if (onConflict === "seed") {
        // The primary key comes first: who has it stands in for the row.
        for (const row of mine()) {
          const [standsIn] = collisions(row);
          if (standsIn !== undefined) [row.gone, row.instead] = ["dropped", standsIn];
        }
        this.#translate();
        continue;
      }
      for (const row of mine()) if (collisions(row).length > 1) row.gone = "quarantined";
      const wanted = mine().map((row) => ({ row, seed: collisions(row)[0] }));
      for (const { row, seed } of wanted) {
        if (seed === undefined) continue;
        if (wanted.filter((other) => other.seed === seed).length > 1) row.gone = "quarantined";
        else row.replaces = seed;
      }
      this.#translate();
    }
    this.settleReferences();
  }

  /** What the new constraints refuse. Rows that take the place of seeded ones are written first, each kind in its order. */
  settleConstraints(): void {
    for (const rule of this.#rules) {
      const rows = (): Kept[] => this.kept.filter(({ table, gone }) => table.key === rule.key && gone === null);
      for (let refused: Kept[] = []; ;) {
        const seen = new Set<string>();
        const replacing = refusedOf(
          rows().filter(({ replaces }) => replaces !== null),
          rule,
          seen,
        );
        refused =
          replacing.length > 0
            ? replacing
            : refusedOf(
                rows().filter(({ replaces }) => replaces === null),
                rule,
                seen,
              );
        if (refused.length === 0) break;
        for (const row of refused) row.gone = "quarantined";
        this.settleReferences();
      }
    }
  }

  /** All rows of the new database in the end. */
  finish(): Map<string, readonly Row[]> {
    for (const row of this.kept) {
      if (row.gone !== null || row.replaces === null) continue;
      const before = { ...row.replaces };
      for (const owner of this.#model.fresh.tables) {
        for (const ref of owner.refs.filter(({ target }) => target === row.table.key)) {
          for (const seed of this.fresh.get(owner.key) ?? []) {
            const text = (row: Row, names: readonly string[]): string =>
              JSON.stringify(names.map((name, i) => canonical(owner, ref.columns[i] ?? "", row[name])));
            const old = text(seed, ref.columns);
            // Another spelling of the same key is the same key.
            if (old !== text(before, ref.targetColumns) || old === text(row.values, ref.targetColumns)) continue;
            for (const [i, name] of ref.columns.entries()) seed[name] = row.values[ref.targetColumns[i] ?? ""] ?? null;
          }
        }
      }
    }
    return new Map(
      this.#model.fresh.tables.map((table) => {
        const kept = this.kept.filter((row) => row.table === table && row.gone === null);
        const replaced = new Set(kept.map((row) => row.replaces));
        const fallbacks = Object.fromEntries(table.columns.map((column) => [column.name, column.fallback]));
        const loaded = kept.map((row): Row => ({ ...fallbacks, ...row.replaces, ...row.values, gen: "g" }));
        return [table.key, [...(this.fresh.get(table.key) ?? []).filter((row) => !replaced.has(row)), ...loaded]];
      }),
    );
  }
}

/** Those of the rows that a NOT NULL, the check or the unique key refuses; the values of the others are noted in `seen`. */
function refusedOf(rows: readonly Kept[], { positive, unique }: KeptTable, seen: Set<string>): Kept[] {
  return rows.filter(({ table, values }) => {
    const number = positive === null ? null : (values[positive] ?? null);
    const once = unique === null ? null : (values[unique] ?? null);
    const hurt =
      table.columns.some((column) => column.notNull && column.name in values && values[column.name] === null) ||
      (number !== null && Number(number) <= 0) ||
      (once !== null && seen.has(once));
    if (!hurt && once !== null) seen.add(once);
    return hurt;
  });
}

async function castRow(table: TableModel, old: TableModel | undefined, row: Row, ask: AskServer): Promise<Kept> {
  const values: Record<string, string | null> = {};
  const kept: Kept = { table, old: row, values, nulled: new Set(), gone: null, instead: null, replaces: null };
  for (const { name, type } of table.columns) {
    const text = row[name];
    if (text === undefined) continue;
    const mood = type.includes("mood");
    const same = old?.columns.some((column) => column.name === name && column.type === type) === true && !mood;
    values[name] = text === null || same ? text : await ask(type, text);
    if (values[name] === null && text !== null) kept.gone = "quarantined";
  }
  return kept;
}

/** What must be in the new database after the carry. */
export async function expectedOf(given: Case, ask: AskServer): Promise<Expected> {
  const world = new World(given);
  await world.readKept(ask);
  world.settleReferences();
  world.settleConflicts();
  world.settleConstraints();
  const counts = new Map<string, { carried: number; dropped: number; quarantined: number }>();
  for (const { key } of given.kept) {
    if (world.impossible.has(key)) continue;
    const rows = world.kept.filter((row) => row.table.key === key);
    const count = (gone: Kept["gone"]): number => rows.filter((row) => row.gone === gone).length;
    counts.set(key, { carried: count(null), dropped: count("dropped"), quarantined: count("quarantined") });
  }
  return { counts, impossible: world.impossible, rows: world.finish() };
}
