import type { ErrorDetails } from "@replant/core";
import { isReplantError } from "@replant/core";

/** What a call was refused with, as a person and a script see it. */
export interface Refusal extends ErrorDetails {
  readonly code: string;
  readonly message: string;
}

/** The refusal of a call that must throw one of Replant's errors. */
export async function refusalOf(call: () => unknown): Promise<Refusal> {
  try {
    await call();
  } catch (error) {
    if (isReplantError(error)) return { ...error.details, code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was refused");
}
