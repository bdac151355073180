import * as v from "valibot";
import { didYouMean } from "./suggest.ts";

/** Reads a value of unknown shape. */
export type Schema<Output> = v.GenericSchema<unknown, Output>;

/** A member of an object: how it is read, and what an absent one means. */
export interface Member<Output> {
  readonly schema: Schema<Output>;
  readonly absent: { readonly means: "error" | "nothing" } | { readonly means: "value"; readonly value: Output };
}

export function required<Output>(schema: Schema<Output>): Member<Output> {
  return { schema, absent: { means: "error" } };
}

export function optional<Output>(schema: Schema<Output>, value: Output): Member<Output> {
  return { schema, absent: { means: "value", value } };
}

/** Stays absent in the result; for an optional member of it. */
export function omittable<Output>(schema: Schema<Output>): Member<Output> {
  return { schema, absent: { means: "nothing" } };
}

/**
 * An object with these members and no others. Unlike valibot's own objects it looks at own keys alone (`constructor` and
 * `__proto__` are keys like any other), names every unknown key, and refuses an explicit `undefined`: that is what a misspelt
 * import gives in transformed TypeScript, and a rule must not vanish by a slip.
 * @param advice what to say of keys that people try and that do not exist
 */
export function object<Output extends object>(
  members: { readonly [Name in keyof Output]-?: Member<Exclude<Output[Name], undefined>> },
  advice: Readonly<Record<string, string>> = {},
): Schema<Output> {
  const known = Object.entries<Member<unknown>>(members);
  const names = known.map(([name]) => name);
  return plainObject<Output>((given, read) => {
    for (const key of Object.keys(given)) {
      if (names.includes(key)) continue;
      const hint = Object.hasOwn(advice, key) ? `; ${advice[key]}` : didYouMean(key, names);
      read.issue(key, `is no known key${hint}`);
    }
    return Object.fromEntries(
      known.flatMap(([name, { schema, absent }]) => {
        if (Object.hasOwn(given, name)) return [[name, read.member(name, schema)]];
        if (absent.means === "error") read.issue(name, "is required");
        return absent.means === "value" ? [[name, absent.value]] : [];
      }),
    ) as Output;
  });
}

/** An object whose keys are names of the user's. The result has no prototype: a key that it does not have is absent. */
export function record<Output>(key: Schema<string>, value: Schema<Output>): Schema<Readonly<Record<string, Output>>> {
  return plainObject<Readonly<Record<string, Output>>>((given, read) => {
    const entries = Object.keys(given).map((name) => {
      const named = v.safeParse(key, name);
      if (!named.success) read.issue(name, `is no name: it ${named.issues[0].message}`);
      return [name, read.member(name, value)] as const;
    });
    return Object.setPrototypeOf(Object.fromEntries(entries), null) as Record<string, Output>;
  });
}

interface Reader {
  /** The value of a member that is there; what it returns counts only when no issue was found. */
  member<Output>(name: string, schema: Schema<Output>): Output | undefined;
  issue(name: string, message: string): void;
}

function plainObject<Output>(build: (given: object, read: Reader) => Output): Schema<Output> {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, Output>(({ dataset: { value: given }, addIssue, NEVER }) => {
      if (!isPlain(given)) {
        addIssue({ message: "must be an object" });
        return NEVER;
      }
      const step = (name: string): v.IssuePathItem => ({
        type: "unknown",
        origin: "value",
        input: given,
        key: name,
        value: undefined,
      });
      const issue = (name: string, message: string): void => addIssue({ message, path: [step(name)] });
      const member = <Value>(name: string, schema: Schema<Value>): Value | undefined => {
        const value: unknown = Object.entries(given).find(([key]) => key === name)?.[1];
        if (value === undefined) {
          issue(name, "is undefined; give it a value or leave it out");
          return undefined;
        }
        const result = v.safeParse(schema, value);
        if (result.success) return result.output;
        for (const { message, path = [] } of result.issues) addIssue({ message, path: [step(name), ...path] });
        return undefined;
      };
      return build(given, { member, issue });
    }),
  );
}

/** Made by a literal, not by a class; keys that only a prototype holds would go unseen. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** `keep["billing.invoices"].onConflict`, `seeds.files[0]`; printable ASCII. */
export function pathText(path: readonly { readonly key: unknown }[] | undefined): string {
  return (path ?? []).reduce((text, { key }) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${text}[${quoted(name)}]`;
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/** In quotation marks, all of it printable ASCII. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
