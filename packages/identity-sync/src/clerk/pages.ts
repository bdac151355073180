import type { Json, Kind, ProviderObject } from "../model/objects.ts";
import type { Page } from "../ports/provider.ts";
import { readObject } from "./normalize.ts";
import type { ApiReply, ApiRequest, ClerkApi } from "./request.ts";
import { isObject, unexpected } from "./request.ts";

/** The most that one page has. */
export const pageMax = 500;

const oldestFirst = { limit: pageMax, order_by: "+created_at" };

export type RawObject = { readonly [key: string]: Json };

/** Users, as they came: the reply is a bare array. */
export async function usersOf(api: ClerkApi, query: ApiRequest["query"] = {}): Promise<readonly RawObject[]> {
  const reply = await api.send({ path: "/users", query });
  return objectsOf(reply, reply.body);
}

/** A list with its length, as organizations and memberships come. */
export function listOf(reply: ApiReply): { readonly objects: readonly RawObject[]; readonly total: number } {
  const { body } = reply;
  const total = isObject(body) ? body["total_count"] : undefined;
  if (!isObject(body) || typeof total !== "number") throw unexpected(reply, "it is no list with a total_count");
  return { objects: objectsOf(reply, body["data"]), total };
}

function objectsOf(reply: ApiReply, value: Json | undefined): readonly RawObject[] {
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw unexpected(reply, "it is no list of objects");
}

/** The page of users after the one whose last user `after` names. Deletions move nothing. */
export async function userPage(api: ClerkApi, after: string | null): Promise<Page> {
  const objects = (await usersAfter(api, after)).map((user) => readObject("user", user));
  const last = objects.at(-1);
  const next = last === undefined || objects.length < pageMax ? null : `${last.createdAt} ${last.id}`;
  return { objects, next, total: null };
}

async function usersAfter(api: ClerkApi, after: string | null): Promise<readonly RawObject[]> {
  if (after === null) return usersOf(api, oldestFirst);
  const [createdAt, id = ""] = after.split(" ");
  const reply = await api.send({ path: "/users", query: { ...oldestFirst, starting_after: id }, accept: [404] });
  if (reply.status !== 404) return objectsOf(reply, reply.body);
  // That user has been deleted meanwhile. Others of the same millisecond may come twice, none is left out.
  return usersOf(api, { ...oldestFirst, created_at_after: Number(createdAt) - 1 });
}

const paths: Readonly<Record<Exclude<Kind, "user">, string>> = {
  organization: "/organizations",
  membership: "/organization_memberships",
};

/** Where a listing by offset stands. */
interface Place {
  /** Objects before this place, the last one included. */
  readonly offset: number;
  /** The last object. */
  readonly createdAt: number;
  readonly id: string;
  /** What the page of the last object said, and when by Clerk's clock, ms. */
  readonly total: number;
  readonly readAt: number;
}

/**
 * The page of organizations or memberships after a place. They have no cursor, so that deletions move what comes behind to the
 * front: a page begins with the last object of the page before, and where that is not there any more the pages before are read
 * again from where it stood.
 */
export async function offsetPage(api: ClerkApi, kind: keyof typeof paths, after: string | null): Promise<Page> {
  const place = after === null ? null : (JSON.parse(after) as Place);
  let exact = place !== null && place.total - place.offset === pageMax;
  let offset = place === null ? 0 : exact ? place.offset : place.offset - 1;
  for (;;) {
    const reply = await api.send({ path: paths[kind], query: { ...oldestFirst, offset } });
    const { objects: raw, total } = listOf(reply);
    const objects = raw.map((item) => readObject(kind, item));
    const readAt = reply.date ?? 0;
    const fresh =
      place === null ? objects : exact ? unmoved(objects, { place, total }) : beyond(objects, place, offset);
    if (fresh !== null) {
      const last = objects.at(-1);
      const end = offset + objects.length;
      const at = (id: string, createdAt: number): Place => ({ offset: end, createdAt, id, total, readAt });
      const next = last === undefined || end >= total ? null : JSON.stringify(at(last.id, last.createdAt));
      return { objects: fresh, next, total };
    }
    offset = Math.max(0, offset - (exact ? 1 : pageMax - 1));
    exact = false;
  }
}

/**
 * A last page that is exactly full would not be the last one with an object more on it. It needs none where its newest object is
 * older than the page before and as many are there as then: nothing came, so nothing went. Null: something did.
 */
function unmoved(
  objects: readonly ProviderObject[],
  { place, total }: { readonly place: Place; readonly total: number },
): readonly ProviderObject[] | null {
  const last = objects.at(-1);
  return total === place.total && last !== undefined && last.createdAt < place.readAt ? objects : null;
}

/** What comes after a place; null where the page begins behind it, so that something may be in between. */
function beyond(objects: readonly ProviderObject[], place: Place, offset: number): readonly ProviderObject[] | null {
  const index = objects.findIndex(({ id }) => id === place.id);
  if (index >= 0) return objects.slice(index + 1);
  const [first] = objects;
  if (offset > 0 && (first === undefined || first.createdAt >= place.createdAt)) return null;
  return objects.filter(({ createdAt }) => createdAt >= place.createdAt);
}
