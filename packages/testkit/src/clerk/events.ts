import type { OrganizationJSON, OrganizationMembershipJSON, UserDeletedJSON, UserJSON } from "@clerk/backend";
import type {
  OrganizationMembershipWebhookEvent,
  OrganizationWebhookEvent,
  UserWebhookEvent,
  WebhookEvent,
} from "@clerk/backend/webhooks";

/** The events that an instance sends, with the payloads of the SDK's types; other types come from `Deliveries.send`. */
export interface EventPayloads {
  readonly "user.created": UserJSON;
  readonly "user.updated": UserJSON;
  readonly "user.deleted": UserDeletedJSON;
  readonly "organization.created": OrganizationJSON;
  readonly "organization.updated": OrganizationJSON;
  readonly "organization.deleted": Extract<OrganizationWebhookEvent, { type: "organization.deleted" }>["data"];
  readonly "organizationMembership.created": OrganizationMembershipJSON;
  readonly "organizationMembership.updated": OrganizationMembershipJSON;
  readonly "organizationMembership.deleted": OrganizationMembershipJSON;
}

export type EmulatedEvent = {
  [Type in keyof EventPayloads]: { readonly type: Type; readonly data: EventPayloads[Type] };
}[keyof EventPayloads];

type Envelope = (UserWebhookEvent | OrganizationWebhookEvent | OrganizationMembershipWebhookEvent) & {
  /** The SDK's types of 3.20.1 do not have these two; what Clerk sends does. */
  readonly timestamp: number;
  readonly instance_id: string;
};

/** The body of a webhook as text, which is what gets signed. */
export function envelope(
  event: { readonly type: string; readonly data: object },
  { instanceId, timestamp }: { readonly instanceId: string; readonly timestamp: number },
): string {
  const body = {
    data: event.data as UserJSON,
    event_attributes: { http_request: { client_ip: "203.0.113.7", user_agent: "Mozilla/5.0" } },
    instance_id: instanceId,
    object: "event",
    timestamp,
    type: event.type as "user.created",
  } satisfies Envelope;
  return JSON.stringify(body satisfies WebhookEvent);
}
