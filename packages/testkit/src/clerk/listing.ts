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

/** What may be ordered by, and how the value is found. */
export type Keys<Item> = Readonly<Record<string, (item: Item) => string | number | null>>;

/** How many lists with different filters or orders are kept: enough for a listing in shards. */
const keptLists = 8;

interface Listed<Item> {
  readonly items: readonly Item[];
  /** Where an id stands; made when a cursor first asks. */
  positions?: ReadonlyMap<string, number>;
}

/** Filtered and sorted lists, kept until something changes: the pages of 100,000 users are cut out of one. */
export class Listings<Item extends { readonly id: string }> {
  readonly #version: () => number;
  readonly #keys: Keys<Item>;
  readonly #find: (query: URLSearchParams) => Item[];
  readonly #kept = new Map<string, Listed<Item>>();
  #keptVersion = -1;

  /** @param options `version` differs after every change; `find` answers with what the filters let through, in an array of its own. */
  constructor(options: {
    readonly version: () => number;
    readonly keys: Keys<Item>;
    readonly find: (query: URLSearchParams) => Item[];
  }) {
    this.#version = options.version;
    this.#keys = options.keys;
    this.#find = options.find;
  }

  /** Everything that the filters let through, sorted by `order_by`, newest first where it says nothing. Ties are in the order of ids. */
  all(query: URLSearchParams): readonly Item[] {
    return this.#listed(query).items;
  }

  /** The page after the item that `starting_after` names, which users have; or the one that limit and offset say. */
  page(query: URLSearchParams): Item[] {
    const { limit, offset } = pageOf(query);
    const after = query.get("starting_after");
    const listed = this.#listed(query);
    if (after === null) return listed.items.slice(offset, offset + limit);
    if (query.has("offset")) throw invalid("offset", "offset cannot be used together with starting_after");
    if (!/^[+-]?created_at$/.test(orderOf(query))) {
      throw invalid("order_by", "starting_after needs an order by created_at");
    }
    listed.positions ??= new Map(listed.items.map(({ id }, index) => [id, index]));
    const index = listed.positions.get(after);
    if (index === undefined) throw notFound("user");
    return listed.items.slice(index + 1, index + 1 + limit);
  }

  #listed(query: URLSearchParams): Listed<Item> {
    if (this.#version() !== this.#keptVersion) this.#kept.clear();
    this.#keptVersion = this.#version();
    const key = [...query].filter(([name]) => !paging.has(name)).join("&");
    const listed = this.#kept.get(key) ?? { items: this.#sorted(query) };
    // Set anew, so that the first key is the one that was not asked for the longest.
    this.#kept.delete(key);
    this.#kept.set(key, listed);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptLists && oldest !== undefined) this.#kept.delete(oldest);
    return listed;
  }

  #sorted(query: URLSearchParams): Item[] {
    const [, sign, name = ""] = /^([+-]?)(\w+)$/.exec(orderOf(query)) ?? [];
    const key = this.#keys[name];
    if (key === undefined) throw invalid("order_by", `${name} is not something to order by`);
    const down = sign === "-" ? -1 : 1;
    const decorated = this.#find(query).map((item) => ({ item, value: key(item) ?? "" }));
    decorated.sort((a, b) => {
      if (a.value !== b.value) return a.value < b.value ? -down : down;
      return a.item.id < b.item.id ? -down : down;
    });
    return decorated.map(({ item }) => item);
  }
}

const paging: ReadonlySet<string> = new Set(["limit", "offset", "starting_after"]);

function orderOf(query: URLSearchParams): string {
  return query.get("order_by") ?? "-created_at";
}
