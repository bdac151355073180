import type { Output } from "./cli.ts";

/**
 * Keeps a stdout for data: whatever the project's own code prints there (its configuration and its seeds run in this process)
 * goes to `people` instead.
 * @returns what still writes to it, and a function that puts everything back
 */
export function keepForData(
  stdout: NodeJS.WriteStream,
  people: Output,
): { readonly data: Output; readonly restore: () => void } {
  const own = Object.getOwnPropertyDescriptor(stdout, "write");
  const original = stdout.write.bind(stdout);
  stdout.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    people.write(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
    const done = rest.find((argument) => typeof argument === "function");
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  return {
    data: { write: (text) => original(text) },
    restore: () => {
      if (own === undefined) Reflect.deleteProperty(stdout, "write");
      else Object.defineProperty(stdout, "write", own);
    },
  };
}
