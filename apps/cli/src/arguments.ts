import { ReplantError } from "@replant/core";
import type { Cli } from "./cli.ts";

/**
 * The words of a command that does nothing without all of them.
 * @param names what they are, in order
 * @throws ReplantError REPLANT_USAGE naming the first that is missing
 */
export function requireWords<const Names extends readonly string[]>(
  cli: Cli,
  input: { readonly argument: string | null; readonly further: readonly string[] },
  names: Names,
): { readonly [Index in keyof Names]: string } {
  const words = input.argument === null ? [] : [input.argument, ...input.further];
  const missing = names[words.length];
  if (missing !== undefined) {
    throw new ReplantError("REPLANT_USAGE", `replant ${cli.command} needs ${missing}`, {
      state: "nothing was touched",
      hint: `replant ${cli.command} --help`,
    });
  }
  return words as unknown as { readonly [Index in keyof Names]: string };
}
