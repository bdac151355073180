import { expect, test, vi } from "vitest";
import { systemClock } from "../src/index.ts";

test("run ids hold the time, sort by it and never repeat, also when the clock is set back", () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 20, 9, 41, 2, 123) });
  try {
    const clock = systemClock();
    const first = clock.runId();
    expect(first).toMatch(/^20260120T094102123Z-[0-9a-f]{4}$/);
    vi.setSystemTime(Date.UTC(2025, 0, 1));
    const ids = [first, ...Array.from({ length: 999 }, () => clock.runId())];
    expect(new Set(ids.map((id) => id.slice(0, 19))).size).toBe(1000);
    expect(ids.toSorted()).toEqual(ids);
    expect(clock.now()).toBe(Date.UTC(2025, 0, 1));
  } finally {
    vi.useRealTimers();
  }
});

test("two clocks of one millisecond give different ids, and the process is this one", () => {
  const ids = Array.from({ length: 8 }, () => systemClock().runId());
  expect(new Set(ids.map((id) => id.slice(-4))).size).toBeGreaterThan(1);
  expect(systemClock().pid).toBe(process.pid);
  expect(systemClock().host).not.toBe("");
});
