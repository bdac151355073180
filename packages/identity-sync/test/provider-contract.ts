import { describe, expect, test } from "vitest";
import type { IdentityProvider, Kind, ProviderObject } from "../src/index.ts";
import { kinds } from "../src/index.ts";
import { walk } from "../src/run/pull.ts";

/** A provider on a new, empty development instance, and what a test does to that instance behind its back. */
export interface ProviderPlace {
  readonly provider: IdentityProvider;
  /** Objects on one page. */
  readonly pageMax: number;
  /** What the provider has waited for, ms. */
  readonly waits: readonly number[];
  /** Makes an object, the newest of its kind, and returns its id. A membership brings a user and an organization of its own. */
  create(kind: Kind, name: string): Promise<string>;
  remove(kind: Kind, id: string): Promise<void>;
  /** The bodies of the events that the instance has sent, oldest first. */
  events(): readonly string[];
}

/** So many requests in so many seconds; more are refused until those are over. */
export interface Limit {
  readonly requests: number;
  readonly seconds: number;
}

/** What `IdentityProvider` promises, as tests. `place` gives a new one, without a limit where none is said; closing it is the caller's. */
export function providerContract(name: string, place: (limit?: Limit) => Promise<ProviderPlace>): void {
  describe(`${name}: the contract of identity providers`, () => {
    test("it says which instance it is, and a time that is not in the future", async () => {
      const { provider } = await place();
      const instance = await provider.instance();
      expect(instance).toMatchObject({ id: expect.stringMatching(/./) as string, environment: "development" });
      expect(instance.now).toBeLessThanOrEqual(Date.now());
      expect(instance.now).toBeGreaterThan(Date.now() - 60_000);
    });

    describe.each(kinds)("%s", (kind) => {
      test("an empty instance has one empty page", async () => {
        const { provider } = await place();
        expect(await provider.list(kind, null)).toMatchObject({ objects: [], next: null });
      });

      test("pages cover everything once, oldest first", async () => {
        const at = await place();
        const ids = await createMany(at, kind, 2 * at.pageMax + 1);
        const listed = await listAll(at.provider, kind);
        expect(listed.map(({ id }) => id)).toEqual(ids);
        expect(listed.map(({ createdAt }) => createdAt)).toEqual(
          listed.map(({ createdAt }) => createdAt).toSorted((a, b) => a - b),
        );
      });

      test("objects that go while others come move nothing out of a listing", async () => {
        const at = await place();
        const ids = await createMany(at, kind, 2 * at.pageMax);
        const listed = await listAll(at.provider, kind, async (page) => {
          if (page !== 1) return;
          for (const id of ids.slice(3, 6)) await at.remove(kind, id);
          for (const name of ["x", "y", "z"]) ids.push(await at.create(kind, `late-${name}`));
        });
        expect(listed.map(({ id }) => id)).toEqual(ids);
      });

      test("the last object of a page may go before the next one is read", async () => {
        const at = await place();
        const ids = await createMany(at, kind, 2 * at.pageMax + 1);
        const listed = await listAll(at.provider, kind, async (page) => {
          if (page !== 1) return;
          for (const id of ids.slice(at.pageMax - 2, at.pageMax)) await at.remove(kind, id);
        });
        expect(listed.map(({ id }) => id)).toEqual(ids);
      });

      test("find has those that are there and leaves out those that are not any more", async () => {
        const at = await place();
        await createMany(at, kind, 205);
        const listed = await listAll(at.provider, kind);
        const gone = listed.filter((_, index) => index % 4 === 0);
        for (const { id } of gone) await at.remove(kind, id);
        const found = await at.provider.find(kind, listed);
        const left = listed.filter((object) => !gone.includes(object));
        expect(byId(found)).toEqual(byId(left));
        expect(await at.provider.find(kind, [])).toEqual([]);
      });

      test("events say what the listing says, and what has gone", async () => {
        const at = await place();
        const id = await at.create(kind, "Ada");
        const [object] = await listAll(at.provider, kind);
        await at.remove(kind, id);
        const changes = at
          .events()
          .map((body) => at.provider.readEvent(body))
          .filter(({ subject }) => subject?.kind === kind && subject.id === id)
          .map(({ change }) => change);
        expect(changes).toEqual([
          { type: "present", object },
          { type: "gone", kind, id },
        ]);
      });
    });

    test("a quick look counts, and knows when a user was changed last", async () => {
      const at = await place();
      expect(await at.provider.look()).toEqual({
        counts: { user: 0, organization: 0, membership: 0 },
        newestUserAt: null,
      });
      await at.create("user", "first");
      await at.create("membership", "second");
      const users = await listAll(at.provider, "user");
      expect(await at.provider.look()).toEqual({
        counts: { user: 2, organization: 1, membership: 1 },
        newestUserAt: Math.max(...users.map(({ updatedAt }) => updatedAt)),
      });
    });

    test("a refusal for the number of requests is waited for, exactly as long as it says", async () => {
      const at = await place({ requests: 2, seconds: 7 });
      const id = await at.create("user", "Ada");
      for (let request = 1; request <= 5; request += 1) {
        expect(await at.provider.list("user", null)).toMatchObject({ objects: [{ id }] });
      }
      expect(at.waits).toEqual([7_000, 7_000]);
    });

    test("a wanted user is made once, and found by its external id and by its address", async () => {
      const { provider } = await place();
      const wanted = { externalId: "seed-admin", email: "admin+clerk_test@example.com", firstName: "Ada" };
      const made = await provider.ensureUser(wanted);
      expect(made).toMatchObject({ kind: "user", fields: { externalId: "seed-admin", firstName: "Ada" } });
      expect(await provider.ensureUser(wanted)).toEqual(made);
      expect(await listAll(provider, "user")).toEqual([made]);
      expect(await provider.usersByExternalId(["seed-admin", "other"])).toEqual([made]);
      expect(await provider.usersByEmail([wanted.email.toUpperCase(), "none@example.com"])).toEqual([made]);
    });

    test("two who want the same user at once get the same one", async () => {
      const { provider } = await place();
      const wanted = { externalId: "seed-admin", email: "admin@example.com" };
      const [one, two] = await Promise.all([provider.ensureUser(wanted), provider.ensureUser(wanted)]);
      expect(one).toEqual(two);
      expect(await listAll(provider, "user")).toEqual([one]);
    });
  });
}

async function createMany(at: ProviderPlace, kind: Kind, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await at.create(kind, `n${index}`));
  return ids;
}

/** Everything of a kind, as a pull reads it. @param between called after each page with its number, from 1 */
async function listAll(
  provider: IdentityProvider,
  kind: Kind,
  between?: (page: number) => Promise<void>,
): Promise<ProviderObject[]> {
  const listed: ProviderObject[] = [];
  let pages = 0;
  await walk(provider, kind, { signal: undefined }, async ({ objects }) => {
    listed.push(...objects);
    pages += 1;
    await between?.(pages);
  });
  return listed;
}

function byId(objects: readonly ProviderObject[]): ProviderObject[] {
  return objects.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
