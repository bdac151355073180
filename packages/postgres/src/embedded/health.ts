import { messageOf, ReplantError } from "@replant/core";

/** The two entries of PGlite's Emscripten module between which its main loop runs. */
export interface EngineLoop {
  _PostgresMainLoopOnce: () => void;
  stackRestore: (stack: number) => unknown;
}

/**
 * Notices that the engine has died. PGlite itself catches every exception of the engine and calls it again with the same message,
 * for ever if it does not come back to life.
 */
export class Health {
  /** Why it died; null while it lives. */
  failure: Error | null = null;
  #lastWords = "";

  /** For PGlite's `onStderr`; nothing is printed. */
  hear(line: string): boolean {
    const at = line.search(/\b(PANIC|FATAL):/);
    if (at >= 0) this.#lastWords = line.slice(at);
    return false;
  }

  /** The first cause stays. */
  fail(cause: unknown): void {
    if (this.failure !== null) return;
    const why = this.#lastWords || String(cause);
    this.failure = /No space left on device|Disk quota exceeded/.test(why)
      ? new ReplantError("REPLANT_DISK_FULL", "the embedded database has no space to write", {
          why,
          hint: "free some space and run the command again",
          cause,
        })
      : cause instanceof Error
        ? cause
        : new Error(`the embedded database stopped: ${why}`);
  }

  /** What `create` of PGlite threw, with what the engine said before. */
  notStarted(directory: string, cause: unknown): ReplantError {
    return new ReplantError("REPLANT_CONNECTION_FAILED", "the embedded database does not start", {
      where: directory,
      why: this.#lastWords || messageOf(cause),
      hint: "replant undo goes back to the previous database, replant restore latest to the last backup",
      cause,
    });
  }

  /** An error of SQL leaves the engine by a jump of this status; every other exception is its end. */
  watch(module: EngineLoop): void {
    const { _PostgresMainLoopOnce: loopOnce, stackRestore } = module;
    const sqlErrorStatus = 100;
    module._PostgresMainLoopOnce = () => {
      // A dead engine that is called again may never return.
      if (this.failure !== null) throw this.failure;
      try {
        loopOnce();
      } catch (error) {
        const status = typeof error === "object" && error !== null && "status" in error ? error.status : undefined;
        if (status !== sqlErrorStatus) this.fail(error);
        throw error;
      }
    };
    // PGlite calls this in its handler, outside any try: the one place from which an exception reaches the caller.
    module.stackRestore = (stack) => {
      const result = stackRestore(stack);
      if (this.failure !== null) throw this.failure;
      return result;
    };
  }
}
