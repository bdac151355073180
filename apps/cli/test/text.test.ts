import type { RunEvent } from "@replant/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Terminal } from "../src/interaction.ts";
import type { Reporter } from "../src/render/text.ts";
import { createReporter } from "../src/render/text.ts";
import { hasEscapes } from "./screen.ts";

const rich: Terminal = { interactive: true, because: null, rich: true, colour: true, columns: 100 };
const plain: Terminal = { interactive: false, because: "turbo", rich: false, colour: false, columns: 80 };

const header = {
  version: "0.1.0",
  project: "acme",
  database: "app_dev",
  location: "localhost:5432",
  source: "packages/database/.env:3",
  embedded: false,
};
const start: RunEvent = { type: "step-start", step: "backup", title: "backup" };
const end: RunEvent = {
  type: "step-end",
  step: "backup",
  title: "backup   134 rows, 5 tables",
  durationMs: 61,
  note: "backups/2026-11-20T09-41-02-123Z-a81f (verified)",
};

function reporter(terminal: Terminal): { reporter: Reporter; text: () => string } {
  let text = "";
  return {
    reporter: createReporter({
      terminal,
      output: { write: (more) => (text += more) },
      now: () => Date.now(),
    }),
    text: () => text,
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a terminal shows of text that returns to the beginning of its line and is written over. */
function screenOf(text: string): string[] {
  return text.split("\n").map((line) => {
    let shown = "";
    for (const part of line.split("\r")) shown = part + shown.slice(part.length);
    return shown.trimEnd();
  });
}

describe("off a terminal", () => {
  test("one fact per line, with the time since the beginning and no escape codes", () => {
    const { reporter: on, text } = reporter(plain);
    on.header(header);
    vi.advanceTimersByTime(60);
    on.event(start);
    on.event({ type: "progress", step: "backup", done: 1, total: 5, unit: "tables" });
    vi.advanceTimersByTime(61);
    on.event(end);
    on.event({ type: "notice", level: "warning", text: "app_old could not be dropped" });
    on.event({ type: "notice", level: "info", text: "run x was stopped before its swap" });
    on.event({ type: "step-end", step: "clean", title: "clean    nothing to drop", durationMs: 1, note: null });
    on.event({ type: "step-end", step: "verify", title: "verified counts", durationMs: 38, note: null });
    on.event({ type: "step-failed", step: "swap", title: "swap", durationMs: 1200 });
    on.close();
    expect(text()).toBe(`replant target=app_dev@localhost:5432 source=packages/database/.env:3 interactive=no(turbo)
+0.12s backup    134 rows, 5 tables in 61ms (backups/2026-11-20T09-41-02-123Z-a81f (verified))
+0.12s warning   app_old could not be dropped
+0.12s note      run x was stopped before its swap
+0.12s verify    verified counts in 38ms
+0.12s swap      failed after 1.2s
`);
  });

  test("a step that takes long shows every ten seconds that it lives, and not once it is over", () => {
    const { reporter: on, text } = reporter(plain);
    on.event(start);
    vi.advanceTimersByTime(9_999);
    expect(text()).toBe("");
    on.event({ type: "progress", step: "backup", done: 3, total: 5, unit: "tables" });
    vi.advanceTimersByTime(1);
    expect(text()).toBe("+10.00s backup    still at work: 3/5 tables\n");
    vi.advanceTimersByTime(10_000);
    on.event(end);
    const before = text();
    vi.advanceTimersByTime(60_000);
    expect(text()).toBe(before);
  });
});

test("after a while progress says how fast it goes and how long it will take, for each unit anew", () => {
  const { reporter: on, text } = reporter(plain);
  const shown = (done: number, total: number | null, unit: string): string => {
    const before = text();
    on.event({ type: "progress", step: "identity", done, total, unit });
    vi.advanceTimersByTime(10_000);
    return text()
      .slice(before.length)
      .trim()
      .replace(/^.*still at work: /, "");
  };
  on.event({ type: "step-start", step: "identity", title: "identity listing" });
  expect(shown(500, null, "users")).toBe("500 users");
  expect(shown(20_500, null, "users")).toBe("20500 users, 2000/s");
  expect(shown(500, 10_500, "memberships")).toBe("500/10500 memberships");
  expect(shown(2_500, 10_500, "memberships")).toBe("2500/10500 memberships, 200/s, 40.0s left");
});

describe("on a terminal", () => {
  test("a tick, the title, the time and the note in columns", () => {
    const { reporter: on, text } = reporter({ ...rich, colour: false });
    on.header(header);
    on.event(start);
    on.event(end);
    on.event({ type: "step-failed", step: "carry", title: "carry", durationMs: 5 });
    on.close();
    expect(text().split("\n")).toEqual([
      "replant 0.1.0  acme -> app_dev @ localhost:5432     from packages/database/.env:3",
      `  ✔ ${"backup   134 rows, 5 tables".padEnd(44)}   61ms   backups/2026-11-20T09-41-02-123Z-a81f (verified)`,
      `  ✖ ${"carry".padEnd(44)}    5ms  failed`,
      "",
    ]);
  });

  test("with colour the tick is green and the failure red, and colours end where they began", () => {
    const { reporter: on, text } = reporter(rich);
    on.event(end);
    expect(text()).toContain("\u001B[32m✔\u001B[39m");
    on.event({ type: "step-failed", step: "carry", title: "carry", durationMs: 5 });
    expect(text()).toContain("\u001B[31m✖\u001B[39m");
  });

  test("a moving line that never wraps and leaves nothing behind, without escape codes where colour is off", () => {
    const { reporter: on, text } = reporter({ ...rich, colour: false, columns: 40 });
    on.event({ type: "step-start", step: "carry", title: "carry of a very long list of tables" });
    on.event({ type: "progress", step: "carry", done: 7, total: null, unit: "tables" });
    vi.advanceTimersByTime(350);
    const moving = text();
    expect(moving).toMatch(/carry of a very long/);
    expect(moving).not.toContain("\n");
    for (const frame of moving.split("\r")) expect(frame.length).toBeLessThan(40);
    on.event({ type: "step-end", step: "carry", title: "carry ok", durationMs: 350, note: null });
    on.close();
    expect(screenOf(text())).toEqual(["  ✔ carry ok 350ms", ""]);
    expect(hasEscapes(text())).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(screenOf(text())).toEqual(["  ✔ carry ok 350ms", ""]);
  });

  test("the moving line is away while somebody is asked, and comes back", async () => {
    const { reporter: on, text } = reporter({ ...rich, colour: false });
    on.event(start);
    vi.advanceTimersByTime(150);
    const answer = await on.pause(async () => {
      const asked = text().length;
      vi.advanceTimersByTime(5_000);
      expect(text()).toHaveLength(asked);
      expect(screenOf(text())).toEqual([""]);
      return "app_dev";
    });
    expect(answer).toBe("app_dev");
    vi.advanceTimersByTime(100);
    expect(screenOf(text())[0]).toContain("backup");
    on.close();
  });
});

test("where the database lies is said for the embedded engine too", () => {
  const { reporter: on, text } = reporter({ ...rich, colour: false });
  on.header({
    ...header,
    embedded: true,
    database: "app",
    location: ".replant/pg/app",
    source: "no DATABASE_URL found, using embedded",
  });
  expect(text()).toBe(
    "replant 0.1.0  acme -> embedded Postgres (PGlite) at .replant/pg/app     from no DATABASE_URL found, using embedded\n",
  );
});
