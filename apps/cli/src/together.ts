import { ReplantError } from "@replant/core";
import { kebab } from "./flags.ts";

/**
 * Refuses flags that mean nothing beside each other, instead of ignoring one of them.
 * @param never by flag: those that must not stand beside it
 * @throws ReplantError REPLANT_USAGE
 */
export function assertTogether(
  flags: Readonly<Record<string, unknown>>,
  never: Readonly<Record<string, readonly string[]>>,
): void {
  const given = (name: string): boolean => flags[name] !== undefined && flags[name] !== false;
  for (const [name, others] of Object.entries(never)) {
    const clash = given(name) ? others.find(given) : undefined;
    if (clash === undefined) continue;
    throw new ReplantError(
      "REPLANT_USAGE",
      `--${kebab(name)} cannot stand beside ${clash === "backup" ? "a backup" : `--${kebab(clash)}`}`,
      {
        state: "nothing was touched",
        hint: "leave one of the two out",
      },
    );
  }
}
