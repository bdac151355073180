import type { SqlSession } from "@replant/core";
import { isDeepStrictEqual } from "node:util";
import { readEnvironment, readExtensions } from "../shared/insides.ts";
import { openInstance, type Instance, type InstanceOptions } from "./instance.ts";
import { bootId, dataDirectory, readMark, writeMark, type Mark, type Shelf } from "./marks.ts";
import { instanceSession } from "./session.ts";
import { syncTree } from "./tree.ts";

interface Opened {
  readonly instance: Instance;
  readonly mark: Mark;
  busy: boolean;
}

/**
 * The running instances of one engine, at most one per generation. Starting one costs a third of a second and more, so a closed
 * session leaves its instance running where the caller asks for it, until the generation is settled.
 */
export class Sessions {
  readonly #shelf: Shelf;
  readonly #opened = new Map<string, Opened>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /**
   * A session on a generation. `keep` says, when the session closes, whether the instance stays. A second session while
   * the first is open is a programming error and throws.
   */
  async open(mark: Mark, options: { readonly durable: boolean; readonly keep: () => boolean }): Promise<SqlSession> {
    // Migrations run on these, and may create any extension.
    const migrates = mark.role === "building" || mark.role === "scratch";
    const extensions = migrates ? "all" : mark.extensions.map((label) => label.split(" ")[0] ?? "");
    const opened = await this.#take(mark, { durable: options.durable, extensions });
    return instanceSession(opened.instance, mark.name, () => this.#giveBack(opened, options.keep()));
  }

  /** The instance itself, durable and with every extension at hand, until it is settled. */
  async instance(mark: Mark): Promise<Instance> {
    return (await this.#take(mark, { durable: true, extensions: "all" })).instance;
  }

  /** Stops the instance of a generation, if there is one, and makes its directory durable. Open sessions end. */
  async settle(id: string): Promise<void> {
    const opened = this.#opened.get(id);
    if (opened === undefined) return;
    this.#opened.delete(id);
    const { instance } = opened;
    if (opened.busy) await this.#isClean(opened);
    const failed = instance.failure() !== null;
    await instance.close();
    if (failed) return;
    if (!instance.durable) syncTree(instance.directory);
    const mark = await readMark(this.#shelf, opened.mark);
    if (mark !== null && mark.volatileSince !== null) await writeMark(this.#shelf, { ...mark, volatileSince: null });
  }

  async settleAll(): Promise<void> {
    for (const id of this.#opened.keys()) await this.settle(id);
  }

  isBusy(id: string): boolean {
    return this.#opened.get(id)?.busy ?? false;
  }

  async #take(mark: Mark, how: Pick<InstanceOptions, "durable" | "extensions">): Promise<Opened> {
    const found = this.#opened.get(mark.id);
    if (found?.busy) throw new Error(`${mark.name} has a session already`);
    if (found !== undefined && found.instance.durable !== how.durable) await this.settle(mark.id);
    const opened = this.#opened.get(mark.id) ?? (await this.#start(mark, how));
    opened.busy = true;
    return opened;
  }

  async #start(mark: Mark, how: Pick<InstanceOptions, "durable" | "extensions">): Promise<Opened> {
    if (!how.durable && mark.volatileSince === null) await writeMark(this.#shelf, { ...mark, volatileSince: bootId() });
    const directory = dataDirectory(this.#shelf, mark.name);
    const instance = await openInstance({ directory, scratch: `${directory}.copy`, ...how });
    const opened = { instance, mark, busy: false };
    this.#opened.set(mark.id, opened);
    return opened;
  }

  async #giveBack(opened: Opened, keep: boolean): Promise<void> {
    opened.busy = false;
    // Settled meanwhile: the generation was dropped under the session, or the engine closed.
    if (this.#opened.get(opened.mark.id) !== opened) return;
    if ((await this.#isClean(opened)) && keep) return;
    await this.settle(opened.mark.id);
  }

  /**
   * Takes back everything that a session can leave behind, and puts into the mark what must be known without starting the
   * instance. False when it does not answer any more.
   */
  async #isClean({ instance, mark }: Opened): Promise<boolean> {
    try {
      const session = await instanceSession(instance, mark.name, async () => undefined);
      await session.script("rollback");
      await session.script("discard all");
      const insides = { extensions: await readExtensions(session), environment: await readEnvironment(session) };
      const known = await readMark(this.#shelf, mark);
      if (
        known !== null &&
        !isDeepStrictEqual(insides, { extensions: known.extensions, environment: known.environment })
      ) {
        await writeMark(this.#shelf, { ...known, ...insides });
      }
      return instance.failure() === null;
    } catch {
      return false;
    }
  }
}
