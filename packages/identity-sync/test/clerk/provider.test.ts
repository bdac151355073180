import { VirtualClock } from "@replant/testkit/clerk";
import type { Limit, ProviderPlace } from "../provider-contract.ts";
import { providerContract } from "../provider-contract.ts";
import { clerkPlace } from "./place.ts";

providerContract("clerk", async (limit?: Limit): Promise<ProviderPlace> => {
  const clock = limit === undefined ? undefined : new VirtualClock();
  const rateLimit = limit === undefined ? null : { requests: limit.requests, windowMs: limit.seconds * 1000 };
  const { clerk, provider, waits } = await clerkPlace({ rateLimit, ...(clock === undefined ? {} : { clock }) });
  const { instance, deliveries } = clerk;
  const user = (name: string): string => instance.createUser({ email: `${name}+clerk_test@example.com` }).id;
  const organization = (name: string): string => instance.createOrganization({ name, slug: name.toLowerCase() }).id;
  return {
    provider,
    waits,
    pageMax: 500,
    create: async (kind, name) => {
      if (kind === "user") return user(name);
      if (kind === "organization") return organization(name);
      const joins = { organizationId: organization(name), userId: user(name) };
      return instance.createMembership({ ...joins, role: "org:member" }).id;
    },
    remove: async (kind, id) => {
      if (kind === "user") instance.deleteUser(id);
      else if (kind === "organization") instance.deleteOrganization(id);
      else instance.deleteMembership(id);
    },
    events: () => deliveries.messages.map(({ body }) => body),
  };
});
