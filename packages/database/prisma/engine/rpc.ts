import { createInterface } from "node:readline";
import type { DiffResult, SchemaEngine } from "@prisma/schema-engine-wasm/schema_engine_bg";
import { adapterFactory } from "./adapter.ts";
import type { DatabaseUrls } from "./adapter.ts";
import { openEngine } from "./engine.ts";
import { userError } from "./errors.ts";

/** A line of stdin: a request, or the answer to `print`, which has no method. */
interface Message {
  readonly id: number;
  readonly method?: string;
  readonly params?: unknown;
}

/** The engine's own JSON-RPC code for an error that `data` describes. */
const SERVER_ERROR = 4466;

/** Answers JSON-RPC requests, one per line of stdin, one after the other, until stdin ends or the CLI stops us. */
export async function serve(schemaFiles: readonly string[], urls: DatabaseUrls): Promise<void> {
  const factory = adapterFactory(urls);
  const lines = createInterface({ input: process.stdin });
  const stop = (): void => {
    lines.close();
    void factory.close();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  let engine: SchemaEngine | undefined;
  for await (const line of lines) {
    const { id, method, params } = JSON.parse(line) as Message;
    if (method === undefined) continue;
    try {
      engine ??= await openEngine(schemaFiles, factory, (entry) => process.stderr.write(entry));
      send({ id, result: (await call(engine, method, params)) ?? null });
    } catch (error) {
      const { code, ...data } = userError(factory.failure() ?? error);
      send({
        id,
        error: { code: SERVER_ERROR, message: "see data", data: { ...data, error_code: code, is_panic: false } },
      });
    }
  }
  await factory.close();
}

async function call(engine: SchemaEngine, method: string, params: unknown): Promise<unknown> {
  // The engine as WebAssembly has another name for this one than the binary.
  const operation: unknown = Reflect.get(engine, method === "getDatabaseVersion" ? "version" : method);
  if (typeof operation !== "function") throw new Error(`the engine has no method "${method}"`);
  const result: unknown = await Reflect.apply(operation, engine, [params]);
  if (method === "diff") print((result as DiffResult).stdout);
  return result;
}

/** The CLI prints only what it is asked to print. */
function print(content: string | null): void {
  if (content !== null) send({ id: 0, method: "print", params: { content } });
}

function send(body: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...body })}\n`);
}
