import { isReplantError } from "@replant/core";
import { describe, expect, test } from "vitest";
import { parseServerUrl, redactUrl } from "../../src/server/index.ts";

function refusal(work: () => unknown): { code: string; text: string } {
  try {
    work();
  } catch (error) {
    if (isReplantError(error)) return { code: error.code, text: JSON.stringify([error.message, error.details]) };
    throw error;
  }
  throw new Error("nothing was refused");
}

/** What node-postgres would connect with. */
function login(url: string): Record<string, unknown> {
  const address = parseServerUrl(url);
  const { host, port, user, password, ssl, database } = address.client(address.database, "test");
  return { host, port, user, password, ssl, database };
}

describe("parseServerUrl", () => {
  test("reads user, password, host, port and database", () => {
    expect(login("postgresql://ann:p%40ss%2Fw@db.example:5433/shop?schema=public&connection_limit=3")).toEqual({
      host: "db.example",
      port: 5433,
      user: "ann",
      password: "p@ss/w",
      ssl: false,
      database: "shop",
    });
  });

  test.each([
    ["postgres://u:s3cret@localhost/app", "localhost:5432", true],
    ["postgres://u@127.0.0.1:6000/app", "127.0.0.1:6000", true],
    ["postgres://u@[::1]:5432/app", "::1:5432", true],
    ["postgres://u@/app?host=/run/pg", "/run/pg/.s.PGSQL.5432", true],
    ["postgres:///app?host=/run/pg&port=6001", "/run/pg/.s.PGSQL.6001", true],
    ["postgres://u@%2Frun%2Fpg/app", "/run/pg/.s.PGSQL.5432", true],
    ["postgres://u@127.0.0.1.evil.example/app", "127.0.0.1.evil.example:5432", false],
    ["postgres://u@10.0.0.1/app", "10.0.0.1:5432", false],
    ["postgres://u@localhost.example/app", "localhost.example:5432", false],
    ["postgres://localhost@db.example/app", "db.example:5432", false],
  ])("%s is at %s, local %s", (url, location, local) => {
    const address = parseServerUrl(url);
    expect({ location: address.location, local: address.local, database: address.database }).toEqual({
      location,
      local,
      database: "app",
    });
  });

  test("a socket's user and password arrive", () => {
    expect(login("postgres://ann:s3cret@/app?host=/run/pg")).toMatchObject({
      user: "ann",
      password: "s3cret",
      host: "/run/pg",
    });
  });

  test("a database name is decoded completely", () => {
    expect(login("postgres://u@h/a%2Fb%3Fc%23d%25%20%C3%A9")).toMatchObject({ database: "a/b?c#d% é", host: "h" });
  });

  test("TLS parameters keep their meaning", () => {
    expect(login("postgres://u@h/app?sslmode=no-verify").ssl).toEqual({ rejectUnauthorized: false });
    expect(login("postgres://u@h/app?sslmode=verify-full").ssl).toEqual({});
    expect(login("postgres://u@h/app?sslmode=require&sslaccept=accept_invalid_certs").ssl).toEqual({
      rejectUnauthorized: false,
    });
  });

  test.each([
    ["mysql://u:s3cret@h/app", "REPLANT_ENGINE_UNSUPPORTED"],
    ["file:./dev.db", "REPLANT_ENGINE_UNSUPPORTED"],
    ["postgres://u:s3cret@h", "REPLANT_URL_INVALID"],
    ["postgres://u:s3cret@h/", "REPLANT_URL_INVALID"],
    ["postgres://u:s3cret@h:port/app", "REPLANT_URL_INVALID"],
    ["postgres://u:s3cret@[::1/app", "REPLANT_URL_INVALID"],
    ["postgres://u:s3cret@h/%zz", "REPLANT_URL_INVALID"],
    ["postgres://u:s3cret@h/app?sslrootcert=/absent/file", "REPLANT_URL_INVALID"],
    ["postgres://u:s3cret@h/a%00b", "REPLANT_NAME_INVALID"],
    ["postgres://u:s3cret@h/template1", "REPLANT_NAME_INVALID"],
    [`postgres://u:s3cret@h/${"%C3%A9".repeat(32)}`, "REPLANT_NAME_INVALID"],
  ])("refuses %s with %s and keeps the password to itself", (url, code) => {
    const { code: given, text } = refusal(() => parseServerUrl(url));
    expect(given).toBe(code);
    expect(text).not.toContain("s3cret");
  });

  test("shows no password when it is printed", () => {
    expect(JSON.stringify(parseServerUrl("postgres://u:s3cret@h/app"))).not.toContain("s3cret");
  });
});

test.each([
  ["postgres://u:s3cret@h:5432/app?schema=x", "postgres://u:***@h:5432/app?schema=x"],
  ["postgres://u:s3@cret@h/app", "postgres://u:***@h/app"],
  ["postgres://u:s3cret@/app?host=/run/pg", "postgres://u:***@/app?host=/run/pg"],
  ["postgres://h/app?user=u&password=s3cret#x", "postgres://h/app?user=u&password=***#x"],
  ["postgres://h/app?sslkey=k&sslpassword=s3cret", "postgres://h/app?sslkey=k&sslpassword=***"],
  ["postgres://u@h/app?q=a@b", "postgres://u@h/app?q=a@b"],
  ["postgres://u:s3cret@h:port/app", "postgres://***@h:port/app"],
  ["nonsense u:s3cret@h password=s3cret", "***@h password=***"],
])("redactUrl: %s", (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});
