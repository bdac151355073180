import { ReplantError } from "@replant/core";
import type { Json, Kind, ProviderEvent, ProviderObject } from "../model/objects.ts";

type JsonObject = { readonly [key: string]: Json };

const kindOf: Readonly<Record<string, Kind>> = {
  user: "user",
  organization: "organization",
  organizationMembership: "membership",
};

/**
 * What the body of a Clerk webhook says. Types that say nothing about users, organizations and memberships have no change.
 * @throws ReplantError REPLANT_IDENTITY_EVENT for a body that is none of Clerk's
 */
export function readEvent(body: string): ProviderEvent {
  const event = asObject(parse(body), "the event");
  const type = asText(event["type"], "type");
  const instance = event["instance_id"];
  const base = {
    type,
    occurredAt: endOf(event["timestamp"]),
    instance: typeof instance === "string" ? instance : null,
  };
  const [noun = "", verb = ""] = type.split(".");
  const kind = kindOf[noun];
  if (kind === undefined || !["created", "updated", "deleted"].includes(verb)) {
    return { ...base, subject: null, change: null };
  }
  const data = asObject(event["data"], "data");
  const id = data["id"];
  // The SDK's types allow a deletion without an id: there is nothing that could be done about it.
  if (typeof id !== "string") {
    if (verb === "deleted") return { ...base, subject: null, change: null };
    throw unreadable("data.id is missing");
  }
  if (verb === "deleted") return { ...base, subject: { kind, id }, change: { type: "gone", kind, id } };
  return { ...base, subject: { kind, id }, change: { type: "present", object: readObject(kind, data) } };
}

/**
 * One user, organization or membership of the Backend API or of a webhook.
 * @throws ReplantError REPLANT_IDENTITY_EVENT when a field that everything hangs on is missing
 */
export function readObject(kind: Kind, data: JsonObject): ProviderObject {
  const id = asText(data["id"], "id");
  const [createdAt, updatedAt] = [asTime(data["created_at"], "created_at"), asTime(data["updated_at"], "updated_at")];
  const base = { kind, id, createdAt, updatedAt };
  const times = { createdAt, updatedAt };
  const metadata = { publicMetadata: data["public_metadata"] ?? {}, privateMetadata: data["private_metadata"] ?? {} };
  if (kind === "user") {
    return {
      ...base,
      joins: null,
      fields: {
        email: primaryOf(data, "email"),
        phoneNumber: primaryOf(data, "phone"),
        firstName: data["first_name"] ?? null,
        lastName: data["last_name"] ?? null,
        imageUrl: data["image_url"] ?? null,
        username: data["username"] ?? null,
        externalId: data["external_id"] ?? null,
        banned: data["banned"] ?? false,
        locked: data["locked"] ?? false,
        lastSignInAt: data["last_sign_in_at"] ?? null,
        ...metadata,
        ...times,
      },
    };
  }
  if (kind === "organization") {
    return {
      ...base,
      joins: null,
      fields: {
        name: data["name"] ?? null,
        slug: data["slug"] ?? null,
        imageUrl: data["image_url"] ?? null,
        maxAllowedMemberships: data["max_allowed_memberships"] ?? null,
        ...metadata,
        ...times,
      },
    };
  }
  return {
    ...base,
    joins: {
      user: asText(asObject(data["public_user_data"], "public_user_data")["user_id"], "public_user_data.user_id"),
      organization: asText(asObject(data["organization"], "organization")["id"], "organization.id"),
    },
    fields: { role: data["role"] ?? null, permissions: data["permissions"] ?? [], ...metadata, ...times },
  };
}

/** The address or number that the user has made the primary one; the first where none is. */
function primaryOf(user: JsonObject, what: "email" | "phone"): Json {
  const [list, primary, value] =
    what === "email"
      ? ([user["email_addresses"], user["primary_email_address_id"], "email_address"] as const)
      : ([user["phone_numbers"], user["primary_phone_number_id"], "phone_number"] as const);
  const all = Array.isArray(list) ? (list as readonly JsonObject[]) : [];
  const chosen = all.find(({ id }) => id === primary) ?? all[0];
  return chosen?.[value] ?? null;
}

/** Clerk's documentation shows milliseconds and, in one example, seconds: what would lie before 1973 in the one is meant in the other. */
function timeOf(value: Json | undefined): number | null {
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) return null;
  return value < 1e11 ? value * 1000 : value;
}

/** Of a time in whole seconds the end: an event that seems too old would be left out, one that seems young is looked at. */
function endOf(value: Json | undefined): number | null {
  const time = timeOf(value);
  return time === null || value === time ? time : time + 999;
}

function asTime(value: Json | undefined, name: string): number {
  const time = timeOf(value);
  if (time === null) throw unreadable(`${name} is no time`);
  return time;
}

function asText(value: Json | undefined, name: string): string {
  if (typeof value !== "string" || value === "") throw unreadable(`${name} is missing`);
  return value;
}

function asObject(value: Json | undefined, name: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(`${name} is no object`);
  return value as JsonObject;
}

function parse(body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch (cause) {
    throw unreadable("it is not JSON", cause);
  }
}

function unreadable(why: string, cause?: unknown): ReplantError {
  return new ReplantError("REPLANT_IDENTITY_EVENT", "what the identity provider sent cannot be read", { why, cause });
}
