import type { ClerkInstance } from "../instance.ts";
import { invalid } from "../problem.ts";
import type { Metadata } from "../records.ts";

export interface ApiRequest {
  readonly method: string;
  /** Without the version: `/users/user_1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Answers with the JSON to send. `ids` are what stands for the stars of the pattern. */
export type Route = (request: ApiRequest, ...ids: string[]) => object;

/** Routes by pattern, as `GET /users/*`. The first that fits answers. */
export type Routes = (instance: ClerkInstance) => Readonly<Record<string, Route>>;

export function list(data: readonly object[], total: number): object {
  return { data, total_count: total };
}

export function missing(parameter: string) {
  return invalid(parameter, `${parameter} must be included.`, "form_param_missing");
}

/** The values of a filter, at most 100; null where it is not given. */
export function wanted(query: URLSearchParams, name: string): ReadonlySet<string> | null {
  const values = query.getAll(name);
  if (values.length > 100) throw invalid(name, `at most 100 values of ${name} are allowed`);
  return values.length === 0 ? null : new Set(values);
}

/** A moment of a filter in milliseconds; null where it is not given. */
export function moment(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  if (!/^\d+$/.test(text)) throw invalid(name, `${name} must be in milliseconds`, "form_param_format_invalid");
  return Number(text);
}

const kinds = {
  public_metadata: "publicMetadata",
  private_metadata: "privateMetadata",
  unsafe_metadata: "unsafeMetadata",
} as const;

type MetadataKinds = { readonly [Kind in (typeof kinds)[keyof typeof kinds]]?: Metadata };

/** The kinds of metadata that a body has. */
export function metadataOf(body: ApiRequest["body"]): MetadataKinds {
  const found = Object.entries(kinds).flatMap(([name, kind]) =>
    isMetadata(body[name]) ? [[kind, body[name]] as const] : [],
  );
  return Object.fromEntries(found);
}

/** What PATCH makes of metadata: every kind that the body has is merged into what was there. */
export function mergedMetadata(before: MetadataKinds, body: ApiRequest["body"]): MetadataKinds {
  const change = Object.entries(metadataOf(body)) as [keyof MetadataKinds, Metadata][];
  return Object.fromEntries(change.map(([kind, metadata]) => [kind, merged(before[kind] ?? {}, metadata)]));
}

/** A deep merge, in which null takes a key away. */
function merged(before: Metadata, change: Metadata): Metadata {
  const result: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(change)) {
    const old = result[key];
    if (value === null) delete result[key];
    else result[key] = isMetadata(value) ? merged(isMetadata(old) ? old : {}, value) : value;
  }
  return result;
}

function isMetadata(value: unknown): value is Metadata {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
