import { seededRandom } from "@replant/testkit/clerk";
import { expect, test } from "vitest";
import { post, signedHeaders, userBody, webhookPlace } from "./place.ts";

interface Raw {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

type Mutation = (raw: Raw, random: () => number) => Raw;

const below = (random: () => number, limit: number): number => Math.floor(random() * limit);
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Another text of about the same length. */
function altered(text: string, random: () => number): string {
  const at = below(random, text.length);
  const letter = alphabet[below(random, alphabet.length)]!;
  const kind = below(random, 3);
  if (kind === 0) return `${text.slice(0, at)}${letter}${text.slice(at)}`;
  return `${text.slice(0, at)}${kind === 1 ? "" : letter}${text.slice(at + 1)}`;
}

function headerMutation(name: string, change: (value: string, random: () => number) => string): Mutation {
  return ({ headers, body }, random) => ({ headers: { ...headers, [name]: change(headers[name]!, random) }, body });
}

const mutations: readonly Mutation[] = [
  ({ headers, body }, random) => {
    const changed = Buffer.from(body);
    const at = below(random, body.length);
    changed[at] = changed[at]! ^ (1 << below(random, 8));
    return { headers, body: changed };
  },
  ({ headers, body }, random) => ({ headers, body: body.subarray(0, below(random, body.length)) }),
  ({ headers, body }, random) => {
    const at = below(random, body.length + 1);
    const bytes = Buffer.from(Array.from({ length: 1 + below(random, 8) }, () => below(random, 256)));
    return { headers, body: Buffer.concat([body.subarray(0, at), bytes, body.subarray(at)]) };
  },
  ({ headers }, random) => ({
    headers,
    body: Buffer.from(Array.from({ length: below(random, 3_000) }, () => below(random, 256))),
  }),
  ({ headers, body }) => ({ headers, body: Buffer.concat([body, body]) }),
  headerMutation("svix-id", altered),
  headerMutation("svix-timestamp", altered),
  headerMutation("svix-signature", altered),
  headerMutation("svix-timestamp", (value, random) => String(Number(value) + 1 + below(random, 1_000))),
  headerMutation(
    "svix-timestamp",
    (_, random) => ["", "-1", "0", "1e9", "NaN", "9".repeat(20), "0x5f"][below(random, 7)]!,
  ),
  headerMutation("svix-id", (_, random) => ["", ".", "msg_1.2", "a b", "x".repeat(5_000), "'; --"][below(random, 6)]!),
  headerMutation("svix-signature", (_, random) => ["", "v1", "v1,", ",", " ", "v1,,", "v1,=="][below(random, 7)]!),
  headerMutation("svix-signature", (value) => value.replace("v1,", "v1a,")),
  headerMutation("svix-signature", (value) => value.toLowerCase()),
  headerMutation(
    "svix-signature",
    (value, random) => `v1,${alphabet[below(random, 64)]!.repeat(43)}= ${value.slice(3)}`,
  ),
  ({ headers, body }, random) => {
    const names = ["svix-id", "svix-timestamp", "svix-signature"];
    const gone = names[below(random, 3)]!;
    return { headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== gone)), body };
  },
  ({ headers, body }) => ({
    headers: { ...headers, "svix-id": headers["svix-timestamp"]!, "svix-timestamp": headers["svix-id"]! },
    body,
  }),
];

function same(one: Raw, two: Raw): boolean {
  const text = ({ headers }: Raw): string =>
    JSON.stringify(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
  return text(one) === text(two) && one.body.equals(two.body);
}

test("of 20,000 altered messages none is let in, none fails, and all get the same answer", async () => {
  const { handler, stored } = webhookPlace();
  const random = seededRandom(11);
  const answers = new Set<string>();
  let tried = 0;
  while (tried < 20_000) {
    const raw: Raw = { headers: signedHeaders(), body: Buffer.from(userBody) };
    let changed = raw;
    for (let times = 1 + below(random, 2); times > 0; times -= 1) {
      const mutation = mutations[below(random, mutations.length)]!;
      // What is left of a header may be too little for one more change.
      changed = changed === raw ? mutation(raw, random) : { ...mutation(raw, random), body: changed.body };
    }
    if (same(raw, changed)) continue;
    tried += 1;
    const response = await handler(post(Uint8Array.from(changed.body), { ...changed.headers }));
    answers.add(`${response.status} ${await response.text()}`);
  }
  expect([...answers]).toEqual(['401 {"error":"not verified"}']);
  expect(stored()).toEqual([]);
});

test("of 2,000 replayed messages each is stored once", async () => {
  const { handler, stored } = webhookPlace();
  const random = seededRandom(12);
  const statuses = new Set<number>();
  const sent = new Set<string>();
  for (let n = 0; n < 2_000; n += 1) {
    const id = `msg_${below(random, 50)}`;
    sent.add(id);
    statuses.add((await handler(post(userBody, signedHeaders({ id })))).status);
  }
  expect([...statuses]).toEqual([200]);
  expect(stored()).toEqual([...sent]);
});
