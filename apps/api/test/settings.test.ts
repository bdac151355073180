import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readSettings } from "../src/settings.ts";

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = publicKey.export({ type: "spki", format: "pem" }).toString().trim();
const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const env = {
  DATABASE_URL: "postgresql://me@localhost:5432/app",
  CLERK_JWT_KEY: pem,
  CLERK_WEBHOOK_SIGNING_SECRET: secret,
};

describe("settings", () => {
  test("have defaults", () => {
    expect(readSettings(env)).toEqual({
      databaseUrl: env.DATABASE_URL,
      jwtKey: pem,
      webhookSecrets: [secret],
      authorizedParties: [],
      host: "127.0.0.1",
      port: 3000,
    });
  });

  test("are read from one line each", () => {
    const key = pem.replaceAll("\n", String.raw`\n`);
    const parties = "https://a.example, https://b.example";
    expect(
      readSettings({ ...env, CLERK_JWT_KEY: key, CLERK_AUTHORIZED_PARTIES: parties, HOST: "::", PORT: "0" }),
    ).toMatchObject({
      jwtKey: pem,
      authorizedParties: ["https://a.example", "https://b.example"],
      host: "::",
      port: 0,
    });
  });

  test.each([
    [{}, ["DATABASE_URL is not set", "CLERK_JWT_KEY is not set", "CLERK_WEBHOOK_SIGNING_SECRET is not set"]],
    [{ ...env, DATABASE_URL: "mysql://x" }, ["does not begin with postgres://"]],
    [{ ...env, CLERK_JWT_KEY: "pk_test" }, ["CLERK_JWT_KEY is not a public key in PEM"]],
    [{ ...env, PORT: "80x" }, ["PORT is not a port"]],
    [{ ...env, PORT: "70000" }, ["PORT is not a port"]],
  ])("that are missing or wrong are all told at once: %o", (broken, lines) => {
    const told = (() => {
      try {
        return readSettings(broken);
      } catch (error) {
        return String(error).split("\n");
      }
    })();
    expect(told).toEqual(lines.map((line) => expect.stringContaining(line) as unknown));
  });
});
