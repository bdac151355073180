import { ReplantError } from "@replant/core";
import { describe, expect, test } from "vitest";
import { failureLines, failureOf, githubAnnotation } from "../src/render/failure.ts";
import { eventLine, failureDocument, outcomeDocument, resultLine } from "../src/render/json.ts";
import { styleOf } from "../src/render/style.ts";

const style = styleOf({ rich: false, colour: false, columns: 80 });
const around = { signal: null, log: ".replant/runs/20261120T094102123Z-a81f/", debug: false } as const;

const migration = new ReplantError("REPLANT_MIGRATION_FAILED", 'column "plan" contains null values', {
  where: "prisma/migrations/20261119_add_plan/migration.sql:7",
  excerpt: '7 | ALTER TABLE "Org" ALTER COLUMN "plan" SET NOT NULL;',
  why: "SQLSTATE 23502",
  state: "app_dev was NOT changed",
  hint: "add a DEFAULT, then: pnpm db:reset",
});

test("a failure says what, where, why, the state of the data and what to do", () => {
  expect(failureLines(failureOf(migration, around), style)).toEqual([
    "",
    'REPLANT_MIGRATION_FAILED  column "plan" contains null values',
    "  where   prisma/migrations/20261119_add_plan/migration.sql:7",
    '          7 | ALTER TABLE "Org" ALTER COLUMN "plan" SET NOT NULL;',
    "  why     SQLSTATE 23502",
    "  state   app_dev was NOT changed",
    "  fix     add a DEFAULT, then: pnpm db:reset",
    "  log     .replant/runs/20261120T094102123Z-a81f/",
  ]);
});

test("the first twenty items are listed, the others counted", () => {
  const items = Array.from({ length: 23 }, (_, n) => `users id=${n + 1}: no`);
  const lines = failureLines(failureOf(new ReplantError("REPLANT_ROWS_LOST", "lost", { items }), around), style);
  expect(lines.filter((line) => line.startsWith("          - users"))).toHaveLength(20);
  expect(lines).toContain("          - users id=20: no");
  expect(lines).toContain("          and 3 more");
  const exactly = failureLines(
    failureOf(new ReplantError("REPLANT_ROWS_LOST", "lost", { items: items.slice(0, 20) }), around),
    style,
  );
  expect(exactly.join("\n")).not.toContain("more");
});

test("the guard's reasons stand under because", () => {
  const error = new ReplantError("REPLANT_GUARD_PRODUCTION", "this looks like production", { items: ["a", "b"] });
  expect(failureLines(failureOf(error, { ...around, log: null }), style)).toEqual([
    "",
    "REPLANT_GUARD_PRODUCTION  this looks like production",
    "  because a",
    "          b",
  ]);
});

test("what nobody expected is a bug: no stack unless asked for, then with its causes", () => {
  const error = new TypeError("x is not a function", { cause: new Error("deeper") });
  const quiet = failureOf(error, around);
  expect(quiet).toMatchObject({ code: "REPLANT_INTERNAL", exit: 1, message: "x is not a function", stack: null });
  expect(quiet.hint).toContain("--debug");
  const loud = failureOf(error, { ...around, debug: true });
  expect(loud.stack).toMatch(/TypeError: x is not a function[^]*caused by Error: deeper/);
  expect(failureLines(loud, style).join("\n")).toContain("caused by Error: deeper");
  expect(failureOf("thrown text", around).message).toBe("thrown text");
  expect(failureOf(new Error(""), around).message).not.toBe("");
});

test("an error of another copy of core is recognised by its code", () => {
  const foreign = Object.assign(new Error("held"), { code: "REPLANT_LOCKED", details: { why: "by pid 7" } });
  expect(failureOf(foreign, around)).toMatchObject({ code: "REPLANT_LOCKED", exit: 4, why: "by pid 7" });
});

describe("for GitHub", () => {
  test("the annotation names file and line", () => {
    expect(githubAnnotation(failureOf(migration, around))).toBe(
      '::error file=prisma/migrations/20261119_add_plan/migration.sql,line=7,title=REPLANT_MIGRATION_FAILED::column "plan" contains null values',
    );
  });

  test("what could end the command early is escaped", () => {
    const error = new ReplantError("REPLANT_SEED_FAILED", "50%\n::warning::x", { where: "a,b:3" });
    expect(githubAnnotation(failureOf(error, around))).toBe(
      "::error file=a%2Cb,line=3,title=REPLANT_SEED_FAILED::50%25%0A::warning::x",
    );
    const nowhere = new ReplantError("REPLANT_SEED_FAILED", "x", { where: "an object" });
    expect(githubAnnotation(failureOf(nowhere, around))).toBe("::error title=REPLANT_SEED_FAILED::x");
  });
});

describe("as data", () => {
  test("a failure has every field, null where nothing is known", () => {
    expect(failureDocument("reset", failureOf(migration, around))).toEqual({
      version: 1,
      command: "reset",
      ok: false,
      error: {
        code: "REPLANT_MIGRATION_FAILED",
        message: 'column "plan" contains null values',
        where: "prisma/migrations/20261119_add_plan/migration.sql:7",
        excerpt: '7 | ALTER TABLE "Org" ALTER COLUMN "plan" SET NOT NULL;',
        why: "SQLSTATE 23502",
        state: "app_dev was NOT changed",
        hint: "add a DEFAULT, then: pnpm db:reset",
        items: [],
        log: ".replant/runs/20261120T094102123Z-a81f/",
        exit: 1,
      },
    });
    expect(failureDocument(null, failureOf(new ReplantError("REPLANT_USAGE", "x"), { ...around, log: null }))).toEqual({
      version: 1,
      command: null,
      ok: false,
      error: {
        code: "REPLANT_USAGE",
        message: "x",
        where: null,
        excerpt: null,
        why: null,
        state: null,
        hint: null,
        items: [],
        log: null,
        exit: 64,
      },
    });
  });

  test("an outcome and events carry the version", () => {
    const document = outcomeDocument("backups", { document: { backups: [] }, text: () => [] });
    expect(document).toEqual({ version: 1, command: "backups", ok: true, backups: [] });
    expect(eventLine({ type: "step-start", step: "swap", title: "swap" })).toEqual({
      version: 1,
      type: "step-start",
      step: "swap",
      title: "swap",
    });
    expect(resultLine(document)).toEqual({ version: 1, type: "result", document });
  });
});
