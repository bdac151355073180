import { expect, test } from "vitest";
import { createRedactor } from "../src/redact.ts";

test.each([
  ["postgres://app:s3cret@localhost:5432/app", "postgres://app:***@localhost:5432/app"],
  ["at postgresql://u:p@ss:w@rd@h/db, and more", "at postgresql://u:***@h/db, and more"],
  ['"redis://:hunter2@cache:6379/0"', '"redis://:***@cache:6379/0"'],
  ["postgres://h/db?user=u&password=s3cret&x=1", "postgres://h/db?user=u&password=***&x=1"],
  ["host=h password=s3cret dbname=x", "host=h password=*** dbname=x"],
  ["key sk_live_abcDEF123 and sk_test_x", "key sk_live_*** and sk_test_***"],
  ["whsec_AbC+/=", "whsec_***"],
  ["CLERK_SECRET_KEY starts with sk_live_", "CLERK_SECRET_KEY starts with sk_live_"],
  ["https://example.com:8080/a@b", "https://example.com:8080/a@b"],
  ["postgres://postgres@localhost/app", "postgres://postgres@localhost/app"],
])("%s", (text, expected) => {
  expect(createRedactor().clean(text)).toBe(expected);
});

test("the password of the connection is hidden in every form, alone too", () => {
  const redactor = createRedactor();
  redactor.addUrl("postgres://app:p%40ss%22w%2Frd@db.example.com/app");
  for (const form of ['p@ss"w/rd', "p%40ss%22w%2Frd", String.raw`p@ss\"w/rd`]) {
    expect(redactor.clean(`it was ${form}, they said`)).toBe("it was ***, they said");
  }
});

test("a password in the query is one too", () => {
  const redactor = createRedactor();
  redactor.addUrl("postgres://app@h/app?password=hunter2");
  expect(redactor.clean("hunter2")).toBe("***");
});

test("a password that is a word of the connection hides nothing else", () => {
  const redactor = createRedactor();
  redactor.addUrl("postgres://postgres:postgres@localhost/app");
  redactor.addUrl("not a url");
  expect(redactor.clean("packages/postgres is fine; postgres://postgres:postgres@localhost/app is not")).toBe(
    "packages/postgres is fine; postgres://postgres:***@localhost/app is not",
  );
});
