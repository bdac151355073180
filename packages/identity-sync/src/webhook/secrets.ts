import { ReplantError } from "@replant/core";
import { Webhook } from "svix";

const names = ["CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET"] as const;

/**
 * The webhook secrets of an environment: those of the first of CLERK_WEBHOOK_SIGNING_SECRET and CLERK_WEBHOOK_SECRET that is set, with
 * commas in between while one replaces the other.
 * @throws ReplantError REPLANT_IDENTITY_KEY when there is none, or one that is none
 */
export function secretsFromEnv(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const name = names.find((one) => (env[one] ?? "").trim() !== "");
  const secrets = (name === undefined ? "" : (env[name] ?? ""))
    .split(",")
    .map((secret) => secret.trim())
    .filter((secret) => secret !== "");
  if (name === undefined || secrets.length === 0) {
    throw new ReplantError("REPLANT_IDENTITY_KEY", `${names[0]} is not set`, {
      why: "without the endpoint's secret nobody can tell who has sent a message",
      hint: `put the signing secret of the endpoint into the environment: ${names[0]}=whsec_... (${names[1]} is read too)`,
    });
  }
  const broken = secrets.findIndex((secret) => !isSecret(secret));
  if (broken < 0) return secrets;
  const which = secrets.length === 1 ? name : `${name}, number ${broken + 1} of ${secrets.length},`;
  throw new ReplantError("REPLANT_IDENTITY_KEY", `${which} is not a signing secret`, {
    hint: "it begins with whsec_ and stands on the page of the endpoint",
  });
}

function isSecret(secret: string): boolean {
  try {
    return secret.startsWith("whsec_") && new Webhook(secret) instanceof Webhook;
  } catch {
    return false;
  }
}
