/** What a manifest holds in the wrong place. The message names the place, never the value: that is a stranger's text. */
export class Malformed extends Error {}

/** Turns an unknown value into what the format says it is, or throws `Malformed` with its place. */
export type Check<T> = (value: unknown, where: string) => T;

function fail(where: string, wanted: string): never {
  throw new Malformed(`${where} is not ${wanted}`);
}

/** A whole number from 0 to 2^53 - 1. */
export const count: Check<number> = (value, where) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fail(where, "a count");

/** A whole number from 1 to 2^53 - 1. */
export const ordinal: Check<number> = (value, where) => count(value, where) || fail(where, "a number from 1");

/** A finite number that is not below `least`. */
export const number =
  (least: number): Check<number> =>
  (value, where) =>
    typeof value === "number" && Number.isFinite(value) && value >= least
      ? value
      : fail(where, `a number from ${least}`);

export const flag: Check<boolean> = (value, where) =>
  typeof value === "boolean" ? value : fail(where, "true or false");

/** A string of at most `maxBytes` bytes of UTF-8, without NUL: PostgreSQL has no such character, and C ends a name there. */
export const text =
  (maxBytes: number): Check<string> =>
  (value, where) =>
    typeof value === "string" && Buffer.byteLength(value) <= maxBytes && !value.includes("\0")
      ? value
      : fail(where, `a text of at most ${maxBytes} bytes without NUL`);

/** A name as PostgreSQL's catalogs hold one: 1 to 63 bytes, without NUL. Everything else is allowed, quotes too. */
export const name: Check<string> = (value, where) => text(63)(value, where) || fail(where, "a name");

export const matching =
  (pattern: RegExp): Check<string> =>
  (value, where) =>
    typeof value === "string" && pattern.test(value) ? value : fail(where, `like ${pattern.source}`);

/** One of these values. */
export const oneOf =
  <const T extends string | number>(...allowed: readonly T[]): Check<T> =>
  (value, where) =>
    allowed.find((candidate) => candidate === value) ?? fail(where, `one of ${allowed.join(", ")}`);

export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value, where) =>
    value === null ? null : check(value, where);

export const list =
  <T>(item: Check<T>, most: number): Check<readonly T[]> =>
  (value, where) =>
    Array.isArray(value) && value.length <= most
      ? value.map((element, index) => item(element, `${where}[${index}]`))
      : fail(where, `a list of at most ${most}`);

/** An object whose member names are data. */
export const dictionary =
  <T>(key: Check<string>, item: Check<T>, most: number): Check<Readonly<Record<string, T>>> =>
  (value, where) => {
    const members = Object.entries(plainObject(value, where));
    if (members.length > most) fail(where, `an object of at most ${most} members`);
    return Object.fromEntries(
      members.map(([name, member], index) => [
        key(name, `${where}'s name ${index}`),
        item(member, `${where}{${index}}`),
      ]),
    );
  };

/** An object of exactly these members; the checked one has them in the order of their names. */
export const object = <T extends object>(members: { readonly [Name in keyof T]-?: Check<T[Name]> }): Check<T> => {
  const checks = Object.entries<Check<unknown>>(members).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return (value, where) => {
    const found = plainObject(value, where);
    const checked: Record<string, unknown> = {};
    for (const [name, check] of checks) {
      if (!Object.hasOwn(found, name)) fail(`${where}.${name}`, "there");
      checked[name] = check(found[name], `${where}.${name}`);
    }
    if (Object.keys(found).length > checks.length) fail(where, "free of members that this format does not have");
    return checked as T;
  };
};

function plainObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(where, "an object");
  return value as Readonly<Record<string, unknown>>;
}

/** Fails with the first value that stands twice. */
export function distinct(values: readonly string[], where: string): void {
  if (new Set(values).size < values.length) fail(where, "free of repetitions");
}

/** Fails when one of `values` is not in `known`. */
export function contained(values: readonly string[], known: readonly string[], where: string): void {
  if (!values.every((value) => known.includes(value))) fail(where, "made of the table's own columns");
}
