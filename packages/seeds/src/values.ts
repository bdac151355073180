import { ReplantError } from "@replant/core";
import type { TargetColumn } from "./table.ts";

interface RowShape {
  readonly table: string;
  readonly columns: readonly TargetColumn[];
  readonly key: readonly string[];
}

/**
 * One JSON array of objects, each value in a form that the server's input functions read without loss.
 * @throws ReplantError REPLANT_SEED_FAILED naming row and column of a value that has no such form
 */
export function rowsToJson(rows: readonly object[], { table, columns, key }: RowShape): string {
  const objects = rows.map((row, index) => {
    const values = columns.map((column) => {
      const value = (row as Record<string, unknown>)[column.name];
      const problem =
        key.includes(column.name) && value === null ? "a key cannot be null" : problemOf(value, column.json);
      if (problem !== null) {
        throw new ReplantError(
          "REPLANT_SEED_FAILED",
          `row ${index + 1} for table "${table}", column "${column.name}": ${problem}`,
        );
      }
      return [column.name, column.json ? value : plain(value)] as const;
    });
    return Object.fromEntries(values);
  });
  return JSON.stringify(objects);
}

/** Outside of json columns JSON's own forms would lose the value, or lie about it. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

function problemOf(value: unknown, json: boolean): string | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid date" : null;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value} is no value`;
  if (json && (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value)))) {
    return `${String(value)} has no form in JSON`;
  }
  if (value instanceof Uint8Array) return json ? "bytes have no form in JSON" : null;
  if (typeof value !== "object" || value === null) return null;
  for (const nested of Object.values(value)) {
    const problem = problemOf(nested, json);
    if (problem !== null) return problem;
  }
  return null;
}
