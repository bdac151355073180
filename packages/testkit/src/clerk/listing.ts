import { invalid, notFound } from "./problem.ts";

/** limit and offset, as the API reads and checks them. */
function pageOf(query: URLSearchParams): { readonly limit: number; readonly offset: number } {
  return {
    limit: whole(query, "limit", { least: 1, most: 500 }) ?? 10,
    offset: whole(query, "offset", { least: 0 }) ?? 0,
  };
}

function whole(
  query: URLSearchParams,
  name: string,
  { least, most = Infinity }: { readonly least: number; readonly most?: number },
): number | null {
  const text = query.get(name);
  if (text === null) return null;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw invalid(name, `${name} must be a whole number between ${least} and ${most}`, "form_param_format_invalid");
}

type Sortable = Readonly<Record<string, string | number | null>>;

/**
 * Sorted by `order_by`, newest first where it says nothing. Ties are in the order of ids.
 * @param keys what may be ordered by, and how the value is found
 */
export function ordered<Item extends { readonly id: string }>(
  items: readonly Item[],
  query: URLSearchParams,
  keys: (item: Item) => Sortable,
): Item[] {
  const [, sign, key = ""] = /^([+-]?)(\w+)$/.exec(query.get("order_by") ?? "-created_at") ?? [];
  if (items[0] !== undefined && !(key in keys(items[0]))) {
    throw invalid("order_by", `${key} is not something to order by`);
  }
  const down = sign === "-" ? -1 : 1;
  const decorated = items.map((item) => ({ item, value: keys(item)[key] ?? "" }));
  decorated.sort((a, b) => {
    if (a.value !== b.value) return a.value < b.value ? -down : down;
    return a.item.id < b.item.id ? -down : down;
  });
  return decorated.map(({ item }) => item);
}

/** The page after the item that `starting_after` names, which users have; or the one that limit and offset say. */
export function slice<Item extends { readonly id: string }>(items: readonly Item[], query: URLSearchParams): Item[] {
  const { limit, offset } = pageOf(query);
  const after = query.get("starting_after");
  if (after === null) return items.slice(offset, offset + limit);
  if (query.has("offset")) throw invalid("offset", "offset cannot be used together with starting_after");
  if (!/^[+-]?created_at$/.test(query.get("order_by") ?? "-created_at")) {
    throw invalid("order_by", "starting_after needs an order by created_at");
  }
  const index = items.findIndex(({ id }) => id === after);
  if (index === -1) throw notFound("user");
  return items.slice(index + 1, index + 1 + limit);
}
