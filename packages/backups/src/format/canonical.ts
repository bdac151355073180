/**
 * One text for one value (RFC 8785): no white space, members sorted by UTF-16 code units, numbers and strings as
 * ECMAScript writes them. Takes what JSON can hold; anything else is a programmer's error.
 */
export function canonicalJson(value: unknown): string {
  // What a reader has checked is in order, and every manifest of a store is written so when its backups are listed.
  if (isInOrder(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
  }
  throw new Error(`${typeof value} cannot be written as JSON`);
}

/** True when the language itself writes the value as it has to be written. */
function isInOrder(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isInOrder);
  if (typeof value === "object" && value !== null) {
    let before = "";
    for (const [name, member] of Object.entries(value)) {
      // Names that are numbers come first in every object, and in the order of numbers.
      if (name < before || /^\d/.test(name) || !isInOrder(member)) return false;
      before = name;
    }
    return true;
  }
  return value === null || typeof value === "boolean" || typeof value === "string" || Number.isFinite(value);
}
