import type { Json, Parked, ProviderObject } from "../src/index.ts";

/** A time of the provider, ms: so many seconds after a day in 2026, and some milliseconds. */
export function at(second: number): number {
  return Date.UTC(2026, 4, 1) + second * 1000 + 123;
}

export function user(id: string, fields: Readonly<Record<string, Json>> = {}, updatedAt = at(0)): ProviderObject {
  const base = { kind: "user", id, createdAt: at(0), updatedAt, joins: null } as const;
  const filled = {
    email: `${id}@example.com`,
    firstName: "Ada",
    lastName: null,
    imageUrl: null,
    publicMetadata: { plan: "team", nested: [1, null, "é"] },
    ...fields,
  };
  return { ...base, fields: { ...filled, createdAt: at(0), updatedAt } };
}

export function organization(
  id: string,
  fields: Readonly<Record<string, Json>> = {},
  updatedAt = at(0),
): ProviderObject {
  const base = { kind: "organization", id, createdAt: at(0), updatedAt, joins: null } as const;
  const filled = { name: `Organization ${id}`, slug: id, publicMetadata: {}, ...fields };
  return { ...base, fields: { ...filled, createdAt: at(0), updatedAt } };
}

export function membership(
  id: string,
  joins: { readonly user: string; readonly organization: string },
  {
    fields = {},
    updatedAt = at(0),
  }: { readonly fields?: Readonly<Record<string, Json>>; readonly updatedAt?: number } = {},
): Parked {
  const filled = { role: "org:member", permissions: [], ...fields, createdAt: at(0), updatedAt };
  return { kind: "membership", id, createdAt: at(0), updatedAt, joins, fields: filled };
}
