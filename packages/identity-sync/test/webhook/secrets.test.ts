import { expect, test } from "vitest";
import { secretsFromEnv } from "../../src/webhook/index.ts";
import { otherSecret, secret } from "./place.ts";

test.each([
  [{ CLERK_WEBHOOK_SIGNING_SECRET: secret }, [secret]],
  [{ CLERK_WEBHOOK_SECRET: secret }, [secret]],
  [{ CLERK_WEBHOOK_SIGNING_SECRET: "", CLERK_WEBHOOK_SECRET: secret }, [secret]],
  [{ CLERK_WEBHOOK_SIGNING_SECRET: otherSecret, CLERK_WEBHOOK_SECRET: secret }, [otherSecret]],
  [{ CLERK_WEBHOOK_SIGNING_SECRET: ` ${secret} , ${otherSecret},` }, [secret, otherSecret]],
])("the secrets are read from the environment: %#", (env, secrets) => {
  expect(secretsFromEnv(env)).toEqual(secrets);
});

test.each([{}, { CLERK_WEBHOOK_SIGNING_SECRET: " " }, { CLERK_WEBHOOK_SECRET: "," }])("none is an error: %j", (env) => {
  expect(() => secretsFromEnv(env)).toThrow(
    expect.objectContaining({
      code: "REPLANT_IDENTITY_KEY",
      message: "CLERK_WEBHOOK_SIGNING_SECRET is not set",
    }) as Error,
  );
});

test.each(["sk_test_123", "cGtfdGVzdA==", "whsec_", "whsec_%%%", "whsec_abc"])(
  "what is no secret is told without being shown: %s",
  (value) => {
    const read = (): unknown => secretsFromEnv({ CLERK_WEBHOOK_SECRET: `${secret},${value}` });
    expect(read).toThrow("CLERK_WEBHOOK_SECRET, number 2 of 2, is not a signing secret");
  },
);
