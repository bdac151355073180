import { type Environment, type IdentitySection, type ResolvedVariable, resolveVariables } from "@replant/config";
import { type Identities, ReplantError, type Skeleton, type SqlSession } from "@replant/core";
import type { IdentityMapping, IdentityProvider, SyncStore } from "@replant/identity-sync";
import type { LoadedProject } from "../project.ts";

/** The identity provider of a project, as far as it can be reached from here. */
export type ProviderAccess =
  | { readonly provider: IdentityProvider; readonly source: string }
  /** `missing`: the variable that nothing sets. */
  | { readonly provider: null; readonly missing: string };

export interface ProviderOptions {
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Hears of waits that the provider asks for. */
  readonly onWait?: (text: string) => void;
}

/**
 * The provider that the configuration names. Nothing is sent yet.
 * @throws ReplantError REPLANT_IDENTITY_PRODUCTION for the key of a production instance
 */
export async function openProvider(loaded: LoadedProject, options: ProviderOptions): Promise<ProviderAccess> {
  const { key, url, missing } = await keysOf(loaded, options.env);
  if (key === null) return { provider: null, missing };
  const { clerkProvider } = await import("@replant/identity-sync/clerk");
  const provider = clerkProvider({
    secretKey: key.value,
    ...(url === null ? {} : { apiUrl: url.value }),
    signal: options.signal,
    onWait: ({ request, ms, because }) => {
      const why = because === "limit" ? "as the provider asks" : "then it is tried again";
      options.onWait?.(`${request}: waiting ${Math.ceil(ms / 1000)} s, ${why}`);
    },
  });
  return { provider, source: key.source };
}

/** Secret key and address of the provider, null where nothing gives them; `missing` is the variable of the key. */
async function keysOf(
  loaded: LoadedProject,
  env: Environment,
): Promise<{ key: ResolvedVariable | null; url: ResolvedVariable | null; missing: string }> {
  const { secretKeyVariable, apiUrlVariable } = requireSection(loaded);
  const [key = null, url = null] = await resolveVariables([secretKeyVariable, apiUrlVariable], { ...loaded, env });
  return { key, url, missing: secretKeyVariable };
}

/** People for seeds, who are looked up when a seed asks for the first one: most runs ask for nobody. */
export async function openSeedIdentities(loaded: LoadedProject, options: ProviderOptions): Promise<Identities> {
  const { key, url } = await keysOf(loaded, options.env);
  const scope = key === null ? "placeholders" : `clerk ${url?.value ?? ""}`;
  const open = async (): Promise<Identities> => {
    const { createIdentities } = await import("@replant/identity-sync");
    return createIdentities((await openProvider(loaded, options)).provider, scope);
  };
  let opened: Promise<Identities> | null = null;
  const identities = (): Promise<Identities> => (opened ??= open());
  return {
    scope,
    require: async (name, reference) => (await identities()).require(name, reference),
    ensure: async (name, wanted) => (await identities()).ensure(name, wanted),
  };
}

/**
 * What a provider is needed for cannot be done without its key.
 * @throws ReplantError REPLANT_IDENTITY_KEY
 */
export function requireProvider(access: ProviderAccess): IdentityProvider {
  if (access.provider !== null) return access.provider;
  throw new ReplantError("REPLANT_IDENTITY_KEY", `${access.missing} is not set`, {
    why: "neither the environment nor the env files of the project give it",
    state: "nothing was touched",
    hint: `put the secret key of a development instance into .env.local: ${access.missing}=sk_test_...`,
  });
}

/** @throws ReplantError REPLANT_CONFIG_INVALID when the project names no identity provider */
export function requireSection({ config }: LoadedProject): IdentitySection {
  if (config.identity !== null) return config.identity;
  throw new ReplantError("REPLANT_CONFIG_INVALID", "the configuration names no identity provider", {
    state: "nothing was touched",
    hint: "add identity: clerk() to replant.config.ts; clerk comes from @replant/config",
  });
}

export async function mappingOf(section: IdentitySection): Promise<IdentityMapping> {
  const identity = await import("@replant/identity-sync");
  return identity.mappingOf(section);
}

/**
 * What a backup leaves out that names nobody.
 * @throws ReplantError REPLANT_CONFIG_INVALID when nobody could give it back
 */
export async function openSkeleton(loaded: LoadedProject): Promise<Skeleton> {
  const identity = await import("@replant/identity-sync");
  return identity.skeletonOf(identity.mappingOf(requireSection(loaded)));
}

/** The store over a database; the caller closes it. An embedded database has one session for all. */
export async function openStore(
  { resolved }: LoadedProject,
  { connect, mapping }: { connect: () => Promise<SqlSession>; mapping: IdentityMapping },
): Promise<SyncStore & { close(): Promise<void> }> {
  const { openIdentityStore } = await import("@replant/identity-sync/postgres");
  return openIdentityStore(connect, mapping, { sessions: resolved.kind === "embedded" ? 1 : 2 });
}
