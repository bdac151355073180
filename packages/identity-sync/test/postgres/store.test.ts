import { describe } from "vitest";
import { storeCases } from "../store-cases.ts";
import { embeddedPlaces, openStore, referenceScripts, serverPlaces } from "./places.ts";
import { rowCases } from "./row-cases.ts";
import { syncCases } from "./sync-cases.ts";

describe.each([15, 18] as const)("on PostgreSQL %i", (major) => {
  const open = serverPlaces(major);
  storeCases(async () => openStore(await open(referenceScripts)));
  rowCases(() => open(referenceScripts));
  syncCases(() => open(referenceScripts));
});

describe("on PGlite", () => {
  const open = embeddedPlaces();
  storeCases(async () => openStore(await open(referenceScripts)));
  rowCases(() => open(referenceScripts));
  syncCases(() => open(referenceScripts));
});
