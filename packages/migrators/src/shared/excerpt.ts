import type { ErrorPlace } from "./locate.ts";

const linesAround = 2;
const widthMax = 100;

/**
 * A few lines of `text` around a place, numbered, the line itself marked and its column, where one is known, pointed at.
 * Long lines are cut around the column; control characters become spaces, so that a file cannot write to the terminal.
 */
export function excerpt(text: string, place: ErrorPlace): string {
  const lines = text.split("\n");
  const first = Math.max(place.line - linesAround, 1);
  const last = Math.min(place.line + linesAround, lines.length);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const here = number === place.line;
    const column = here ? (place.column ?? 1) : 1;
    const from = column <= widthMax ? 0 : column - Math.floor(widthMax / 2);
    const line = Array.from((lines[number - 1] ?? "").replaceAll(/\p{Cc}/gu, " ")).slice(from, from + widthMax);
    shown.push(`${here ? ">" : " "} ${String(number).padStart(width)} | ${line.join("")}`.trimEnd());
    if (here && place.column !== null) shown.push(`  ${" ".repeat(width)} | ${" ".repeat(column - 1 - from)}^`);
  }
  return shown.join("\n");
}
