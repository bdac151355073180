#!/usr/bin/env node
// Plain JavaScript, so that the cache is on before the first TypeScript file is read: what node strips and compiles is then kept,
// and starting takes half the time. In the person's own directory: what stands in it is run. A cache that cannot be used is no
// reason to fail.
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

module.enableCompileCache(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "replant", "compiled"));
await import("./bin.ts");
