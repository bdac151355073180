import { isReplantError, messageOf, ReplantError } from "@replant/core";
import { relative } from "node:path";
import { slashed } from "./discover.ts";
import type { FileSeed, ProjectSeed } from "./project-seeds.ts";
import { framesOf, type Frame } from "./stack.ts";

/** The error for a seed that ended well and wrote nothing. */
export function emptySeed(seed: ProjectSeed): ReplantError {
  return new ReplantError("REPLANT_SEED_EMPTY", `seed "${seed.name}" ended without an error but wrote nothing`, {
    where: seed.where,
    hint: "await every write in the seed; a seed that may rightly write nothing says mayBeEmpty: true",
  });
}

/** The error for a seed that failed: its name, the line of the seed that led there, the server's words. */
export function seedFailure(
  seed: FileSeed,
  { root, error, stack }: { readonly root: string; readonly error: unknown; readonly stack: string | undefined },
): ReplantError {
  if (isReplantError(error) && error.code !== "REPLANT_SEED_FAILED") return error;
  const frame = seedFrame(seed, framesOf(stack));
  return new ReplantError("REPLANT_SEED_FAILED", `seed "${seed.name}" failed`, {
    ...(isReplantError(error) ? error.details : {}),
    where: frame === null ? seed.where : `${slashed(relative(root, frame.file))}:${frame.line}`,
    why: messageOf(error),
    cause: error,
  });
}

/** The innermost line of the seed's own file. */
function seedFrame(seed: FileSeed, frames: readonly Frame[]): Frame | null {
  const own = [seed.seed.site?.file, seed.file];
  return frames.find((frame) => own.includes(frame.file)) ?? null;
}
