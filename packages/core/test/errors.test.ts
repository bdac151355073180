import { expect, test } from "vitest";
import { sqlState } from "../src/index.ts";

test.each([
  [{ code: "57P01" }, "57P01"],
  [{ code: "XX000" }, "XX000"],
  [Object.assign(new Error("in use"), { code: "55006" }), "55006"],
  [{ code: "EPIPE" }, undefined],
  [{ code: "EBUSY" }, undefined],
  [{ code: "ECONNRESET" }, undefined],
  [{ code: "55p03" }, undefined],
  [{ code: 55006 }, undefined],
  [{}, undefined],
  [null, undefined],
  ["57P01", undefined],
])("the SQLSTATE of %o is %s", (error, state) => {
  expect(sqlState(error)).toBe(state);
});
