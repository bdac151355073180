import { join } from "node:path";

export const repository = join(import.meta.dirname, "../../..");

/** Everything that the bench installs and generates; ignored by git. */
export const benchDirectory = join(repository, ".bench");

/** Replant as it would be installed from its packages. */
export const builtDirectory = join(benchDirectory, "built");

/** A program of the bench that does by hand what the commands are compared with. */
export const floor = (name: string): string => join(import.meta.dirname, "floor", name);
