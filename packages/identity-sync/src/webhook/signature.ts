import { Webhook } from "svix";

export interface SignedHeaders {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
}

/** What is signed and by whom, under the names of Svix or of Standard Webhooks; null when it is not complete. */
export function signedHeaders(headers: Headers): SignedHeaders | null {
  const prefix = headers.has("svix-id") ? "svix" : "webhook";
  const [id, timestamp, signature] = ["id", "timestamp", "signature"].map((name) => headers.get(`${prefix}-${name}`));
  if (id == null || timestamp == null || signature == null) return null;
  // Id, time and body are signed with dots in between: where the id has none, nothing can move from one to the other.
  return /^[\w-]{1,255}$/.test(id) && /^[1-9]\d{0,14}$/.test(timestamp) ? { id, timestamp, signature } : null;
}

/** Whether one of the secrets has signed this body within the last five minutes. */
export function isSigned(
  body: string,
  { id, timestamp, signature }: SignedHeaders,
  secrets: readonly string[],
): boolean {
  const headers = { "svix-id": id, "svix-timestamp": timestamp, "svix-signature": signature };
  return secrets.some((secret) => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
}
