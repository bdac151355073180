import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as wasm from "@prisma/schema-engine-wasm/schema_engine_bg";
import type { AdapterFactory } from "./adapter.ts";

/** Node has it, the types of Node do not. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, object>>,
  ) => { readonly exports: { readonly __wbindgen_start: () => void } };
};

/** Commit of the engine, as `--version` prints it. */
export function engineVersion(): string {
  load();
  return wasm.version();
}

/** Prisma's schema engine as WebAssembly, on these connections. `schemaFiles`: paths of `.prisma` files. */
export async function openEngine(
  schemaFiles: readonly string[],
  factory: AdapterFactory,
  log: (line: string) => void,
): Promise<wasm.SchemaEngine> {
  load();
  const datamodels = schemaFiles.map((path): [string, string] => [path, readFileSync(path, "utf8")]);
  return await wasm.SchemaEngine.new(
    { datamodels: datamodels.length === 0 ? undefined : datamodels },
    log,
    bindMigrationAwareSqlAdapterFactory(factory),
  );
}

let loaded = false;

/** The package's entry imports the .wasm file as a module, which Node does only behind a flag: so by hand. */
function load(): void {
  if (loaded) return;
  const glue = import.meta.resolve("@prisma/schema-engine-wasm/schema_engine_bg");
  const module = new WebAssembly.Module(readFileSync(fileURLToPath(glue.replace(/\.js$/, ".wasm"))));
  const instance = new WebAssembly.Instance(module, { "./schema_engine_bg.js": wasm });
  wasm.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  loaded = true;
}
