import { createPublicKey } from "node:crypto";
import { messageOf } from "@replant/core";
import { secretsFromEnv } from "@replant/identity-sync/webhooks";
import { parseServerUrl } from "@replant/postgres/server";

type Env = Readonly<Record<string, string | undefined>>;

export interface Settings {
  readonly databaseUrl: string;
  /** PEM. */
  readonly jwtKey: string;
  readonly webhookSecrets: readonly string[];
  /** Origins that session tokens may be for; empty: all. */
  readonly authorizedParties: readonly string[];
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** The settings that the environment holds. @throws Error with one line for everything that is wrong with them */
export function readSettings(env: Env): Settings {
  const errors: string[] = [];
  const read = <Value>(how: () => Value): Value | undefined => {
    try {
      return how();
    } catch (error) {
      errors.push(messageOf(error));
      return undefined;
    }
  };
  const settings = {
    databaseUrl: read(() => databaseUrlOf(env)),
    jwtKey: read(() => jwtKeyOf(env)),
    webhookSecrets: read(() => secretsFromEnv(env)),
    authorizedParties: listOf(env["CLERK_AUTHORIZED_PARTIES"]),
    host: env["HOST"] ?? "127.0.0.1",
    port: read(() => portOf(env)),
  };
  if (errors.length > 0) throw new Error(errors.join("\n"));
  return settings as Settings;
}

function databaseUrlOf(env: Env): string {
  const url = needed(env, "DATABASE_URL");
  parseServerUrl(url);
  return url;
}

/** One line may stand for many: not every .env file knows more. */
function jwtKeyOf(env: Env): string {
  const pem = needed(env, "CLERK_JWT_KEY").replaceAll(String.raw`\n`, "\n");
  try {
    createPublicKey(pem);
  } catch {
    throw new Error("CLERK_JWT_KEY is not a public key in PEM");
  }
  return pem;
}

function portOf(env: Env): number {
  const port = Number(env["PORT"] ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error("PORT is not a port");
  return port;
}

function needed(env: Env, name: string): string {
  const value = (env[name] ?? "").trim();
  if (value === "") throw new Error(`${name} is not set`);
  return value;
}

function listOf(text = ""): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
