import type { ErrorCode, ErrorKind } from "@replant/core";
import { errorCodes } from "@replant/core";
import { expect, test } from "vitest";
import { exitCodes, exitOf, exitOfKind } from "../src/exit.ts";

const codes = Object.entries(errorCodes) as [ErrorCode, readonly [ErrorKind, string]][];

test.each(codes)("%s ends with a documented code", (code, [kind]) => {
  const exit = exitOf({ code, kind }, null);
  expect(exit).toBe(exitOfKind[kind]);
  expect(exit).not.toBe(0);
  expect(exitCodes[exit]).not.toBe("");
});

test("each kind of error has a code of its own", () => {
  expect(exitOfKind).toEqual({ failed: 1, refused: 3, busy: 4, usage: 64 });
});

test("an interrupted run tells by which signal, any other failure does not care", () => {
  const cancelled = { code: "REPLANT_CANCELLED", kind: "failed" } as const;
  expect(exitOf(cancelled, "SIGINT")).toBe(130);
  expect(exitOf(cancelled, "SIGTERM")).toBe(143);
  expect(exitOf(cancelled, null)).toBe(1);
  expect(exitOf({ code: "REPLANT_LOCKED", kind: "busy" }, "SIGINT")).toBe(4);
});
