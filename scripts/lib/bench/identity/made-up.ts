import { createHmac, randomBytes } from "node:crypto";
import type { Kind, ProviderObject } from "../../../../packages/identity-sync/src/index.ts";

const at = Date.UTC(2026, 4, 1);

/** So many objects as a listing has them. */
export function madeUp(
  users: number,
  organizations: number,
  memberships: number,
): Readonly<Record<Kind, readonly ProviderObject[]>> {
  const times = { createdAt: at, updatedAt: at };
  const many = (
    kind: Kind,
    count: number,
    of: (n: number) => Pick<ProviderObject, "fields" | "joins">,
  ): ProviderObject[] =>
    Array.from({ length: count }, (_, n) => {
      const { fields, joins } = of(n);
      return { kind, id: `${kind}_${n}`, ...times, fields: { ...fields, ...times }, joins };
    });
  return {
    user: many("user", users, (n) => ({
      fields: { email: `user${n}@example.com`, firstName: "Ada", lastName: "L", imageUrl: null, publicMetadata: { n } },
      joins: null,
    })),
    organization: many("organization", organizations, (n) => ({
      fields: { name: `Organization ${n}`, slug: `organization-${n}`, publicMetadata: {} },
      joins: null,
    })),
    membership: many("membership", memberships, (n) => ({
      fields: { role: "org:member", permissions: [] },
      joins: { user: `user_${n % users}`, organization: `organization_${(n + Math.floor(n / users)) % organizations}` },
    })),
  };
}

/** A message as it is sent. */
export interface SignedMessage {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const webhookSecret = `whsec_${randomBytes(24).toString("base64")}`;

/** Messages of about 1.6 KB, as those of users are, signed now. */
export function signedMessages(count: number): SignedMessage[] {
  const key = Buffer.from(webhookSecret.slice("whsec_".length), "base64");
  const timestamp = String(Math.floor(Date.now() / 1000));
  const run = randomBytes(4).toString("hex");
  return Array.from({ length: count }, (_, n) => {
    const id = `msg_${run}_${n}`;
    const body = userBody(`user_${run}_${n}`);
    const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
    const svix = { "svix-id": id, "svix-timestamp": timestamp, "svix-signature": `v1,${signature}` };
    return { id, body, headers: { "content-type": "application/json", ...svix } };
  });
}

function userBody(id: string): string {
  const address = { id: `idn_${id}`, object: "email_address", email_address: `${id}@example.com`, verification: null };
  const data = {
    id,
    object: "user",
    first_name: "Ada",
    last_name: "Lindqvist",
    email_addresses: [address],
    primary_email_address_id: address.id,
    public_metadata: { about: "x".repeat(1100) },
    created_at: at,
    updated_at: at,
  };
  return JSON.stringify({ data, object: "event", type: "user.created", timestamp: at, instance_id: "ins_bench" });
}
