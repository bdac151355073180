import type { SeedChoice } from "@replant/core";

/** What --set and --only say about seeds; the configuration decides where they say nothing. */
export function seedChoice({
  set,
  only,
}: {
  readonly set: readonly string[] | undefined;
  readonly only?: readonly string[] | undefined;
}): SeedChoice {
  return { sets: filled(set), only: filled(only) };
}

function filled(values: readonly string[] | undefined): readonly string[] | null {
  return values === undefined || values.length === 0 ? null : values;
}
