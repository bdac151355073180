import { storeCases } from "./store-cases.ts";
import { MemoryStore } from "./memory-store.ts";

storeCases(async () => new MemoryStore());
