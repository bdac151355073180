/**
 * Lines of a table: the first column to the left, all others to the right.
 * @param rows the head first; `null` draws a rule
 */
export function textTable(rows: readonly (readonly string[] | null)[], indent = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of (row ?? []).entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("   ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("   ");
  return rows.map((row) => indent + (row === null ? rule : line(row)));
}
