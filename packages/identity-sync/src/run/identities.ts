import type { Identities, IdentityReference, ResolvedIdentity } from "@replant/core";
import { ReplantError } from "@replant/core";
import { localId } from "../model/local-id.ts";
import type { ProviderObject } from "../model/objects.ts";
import { textOf } from "../model/objects.ts";
import type { IdentityProvider } from "../ports/provider.ts";
import type { SyncStore } from "../ports/sync.ts";
import { assertInstance } from "./pull.ts";

/** Ids of people who stand in for those whom the provider could not be asked for. */
const placeholderPrefix = "placeholder_";

/**
 * People for seeds. Without a provider everybody is a placeholder, whom `adoptPlaceholders` makes a real person later.
 * @param scope tells one provider's answers from another's
 */
export function createIdentities(provider: IdentityProvider | null, scope: string): Identities {
  if (provider === null) {
    return {
      scope: "placeholders",
      require: async (name, reference) => placeholder(name, "email" in reference ? reference.email : null),
      ensure: async (name, { email }) => placeholder(name, email),
    };
  }
  return {
    scope,
    require: async (name, reference) => {
      const [found, ...others] = await lookUp(provider, reference);
      if (found === undefined || others.length > 0)
        throw await unresolved(provider, { name, reference, found: others.length });
      return resolved(found);
    },
    ensure: async (_name, wanted) => resolved(await provider.ensureUser(wanted)),
  };
}

function placeholder(name: string, email: string | null): ResolvedIdentity {
  const providerId = `${placeholderPrefix}${name}`;
  return {
    providerId,
    email: email ?? `${name}@placeholder.invalid`,
    localId: localId(providerId),
    placeholder: true,
  };
}

function resolved(user: ProviderObject): ResolvedIdentity {
  const { id } = user;
  return { providerId: id, email: textOf(user, "email"), localId: localId(id), placeholder: false };
}

async function lookUp(provider: IdentityProvider, reference: IdentityReference): Promise<readonly ProviderObject[]> {
  if ("email" in reference) return provider.usersByEmail([reference.email]);
  if ("externalId" in reference) return provider.usersByExternalId([reference.externalId]);
  return provider.find("user", [{ id: reference.providerId, joins: null }]);
}

async function unresolved(
  provider: IdentityProvider,
  { name, reference, found }: { name: string; reference: IdentityReference; found: number },
): Promise<ReplantError> {
  const wanted = Object.entries(reference)
    .map(([key, value]) => `${key} ${value}`)
    .join("");
  const { objects } = await provider.list("user", null);
  const what = found === 0 ? "the provider has no user with" : `${found + 1} users have`;
  return new ReplantError("REPLANT_IDENTITY_UNRESOLVED", `a seed needs "${name}", but ${what} ${wanted}`, {
    items: objects.slice(0, 20).map((user) => `${textOf(user, "email") ?? "no e-mail address"}  ${user.id}`),
    hint: "name one of those that are listed, or let the seed make one: identity.ensure",
  });
}

/**
 * Makes rows of placeholders those of the real people, found by e-mail address: local ids stay, and so does all that points at them.
 * Returns who became whom.
 */
export async function adoptPlaceholders(
  provider: IdentityProvider,
  store: SyncStore,
): Promise<readonly { readonly from: string; readonly to: string }[]> {
  const { waiting, state } = await store.apply(async (transaction) => ({
    waiting: (await transaction.values("user", "email")).filter(({ id }) => id.startsWith(placeholderPrefix)),
    state: await transaction.state(),
  }));
  if (waiting.length === 0) return [];
  assertInstance(state, await provider.instance());
  const people = await provider.usersByEmail(waiting.map(({ value }) => value));
  return store.apply(async (transaction) => {
    const known = await transaction.known(
      "user",
      people.map(({ id }) => id),
    );
    const adopted = waiting.flatMap(({ id: from, value }) => {
      const like = people.filter((user) => textOf(user, "email")?.toLowerCase() === value.toLowerCase());
      const [only] = like;
      return only === undefined || like.length > 1 || known.get(only.id)?.row === true ? [] : [{ from, to: only.id }];
    });
    await transaction.rename("user", adopted);
    return adopted;
  });
}
