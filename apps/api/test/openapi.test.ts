import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { openPlace } from "./place.ts";

test("the description is valid OpenAPI 3.1 and has every route", async () => {
  const { url } = await openPlace();
  const response = await fetch(`${url}/openapi.json`);
  expect(response.status).toBe(200);
  const description = (await response.json()) as { openapi: string; paths: Record<string, object> };
  expect(description.openapi).toBe("3.1.0");
  expect(await new Validator().validate(structuredClone(description))).toEqual({ valid: true });
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(operations.sort((a, b) => (a < b ? -1 : 1))).toEqual([
    "get /healthz",
    "get /organizations/current/prompts",
    "get /organizations/current/services",
    "post /webhooks/clerk",
    "put /organizations/current/services/{serverKey}",
  ]);
});
