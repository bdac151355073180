import type { CarryTable } from "../model/carry.ts";
import type { Catalog, Table } from "../model/catalog.ts";
import { findTable, tableLabel } from "../model/catalog.ts";
import { isSurrogate } from "./natural-key.ts";

/** One line for each reference that goes by id because nothing says what its row means, with what to declare. */
export function idReferenceNotes({ references }: CarryTable, target: Catalog): string[] {
  return references
    .filter(({ by }) => by === "same-id")
    .map(({ columns, target: name }) => {
      const label = tableLabel(name);
      const table = findTable(target, name);
      const key = JSON.stringify(table === undefined ? "..." : telling(table));
      return `${columns.join(", ")} goes by id: ${label} has no natural key; declare one: naturalKeys: { ${/^[a-z_]\w*$/i.test(label) ? label : JSON.stringify(label)}: [${key}] }`;
    });
}

/** The column that most likely tells the rows of a table apart. */
function telling(table: Table): string {
  const texts = table.columns.filter(
    (column) => /^(text|citext|character varying|character)$/.test(column.baseType) && !isSurrogate(column),
  );
  const [first] = [...texts.filter(({ notNull }) => notNull), ...texts];
  return first?.name ?? "...";
}
