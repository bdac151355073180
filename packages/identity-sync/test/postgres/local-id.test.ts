import { expect, test } from "vitest";
import { localId, uuidV5 } from "../../src/model/local-id.ts";

test("version 5 is that of RFC 9562, appendix A.4", () => {
  const dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  expect(uuidV5(dns, "www.example.com")).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
  expect(uuidV5(dns, "python.org")).toBe("886313e1-3b8a-5372-9b90-0c9aee199e5d");
});

test("local ids never change", () => {
  expect(localId("user_29w83sxmDNGwOuEthce5gg56FcC")).toBe("a06d30d7-4c49-5a6f-be60-77fc43eb23a6");
  expect(localId("user_é")).not.toBe(localId("user_e"));
});
