import type { DirectoryLock } from "./lock.ts";

/**
 * One lock for all users of it within an engine: the run, and each open session. It is taken for the first and released after
 * the last, so that a data directory is never open without it.
 */
export class SharedLock {
  readonly #take: (handOver: boolean) => Promise<DirectoryLock>;
  readonly #beforeRelease: () => Promise<void>;
  #lock: Promise<DirectoryLock> | null = null;
  #users = 0;

  constructor(take: (handOver: boolean) => Promise<DirectoryLock>, beforeRelease: () => Promise<void>) {
    this.#take = take;
    this.#beforeRelease = beforeRelease;
  }

  /** Counts one more user. Throws what taking the lock throws; then nothing is counted. `handOver`: see `LockRequest`. */
  async acquire({ handOver }: { readonly handOver: boolean }): Promise<DirectoryLock> {
    this.#users += 1;
    this.#lock ??= this.#take(handOver);
    const lock = this.#lock;
    try {
      return await lock;
    } catch (error) {
      this.#users -= 1;
      if (this.#lock === lock) this.#lock = null;
      throw error;
    }
  }

  /** One user less. Each user calls it once; after `releaseAll` it does nothing. */
  async release(): Promise<void> {
    if (this.#users === 0) return;
    this.#users -= 1;
    if (this.#users === 0) await this.releaseAll();
  }

  /** Ends it for all users; they need not call `release` any more, but may. */
  async releaseAll(): Promise<void> {
    const lock = this.#lock;
    this.#lock = null;
    this.#users = 0;
    try {
      await this.#beforeRelease();
    } finally {
      await (await lock?.catch(() => null))?.release();
    }
  }

  /** Runs `work` as a user of its own. */
  async during<T>(work: (lock: DirectoryLock) => Promise<T>): Promise<T> {
    const lock = await this.acquire({ handOver: true });
    try {
      return await work(lock);
    } finally {
      await this.release();
    }
  }
}
