import type { Socket } from "node:net";
import type { Turn } from "./gate.ts";
import { errorMessage, message, MessageReader, statementName, welcome, type ClientMessage } from "./wire.ts";

/** The one database that all clients share. */
export interface SharedDatabase {
  /** Waits until a database is there, and for the client's turn. */
  turn(): Promise<Turn>;
  /** `server_version` and so on, as told to each new client. Waits until a database is there. */
  parameters(): Promise<Readonly<Record<string, string>>>;
  accepts(name: string): boolean;
}

const copyRefused = "COPY FROM STDIN is not available over this socket; use INSERT, or run it through replant seed";

/**
 * Speaks the protocol with one client. Its turn begins with the first message of a request and ends when no transaction is open, so that
 * other clients wait instead of writing into its transaction. Prepared statements get names of their own per client.
 */
export class Client {
  readonly #socket: Socket;
  readonly #shared: SharedDatabase;
  readonly #id: number;
  readonly #reader = new MessageReader();
  readonly #statements = new Map<string, string>();
  #statementCount = 0;
  #started = false;
  #pending: Buffer[] = [];
  #turn: Turn | null = null;
  #work: Promise<void> = Promise.resolve();
  #ended = false;

  /** `onEnd` is called once, after the client has left nothing behind. */
  constructor(socket: Socket, shared: SharedDatabase, options: { readonly id: number; readonly onEnd: () => void }) {
    this.#socket = socket;
    this.#shared = shared;
    this.#id = options.id;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#then(() => this.#read());
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#ended = true;
      this.#then(() => this.#leave().finally(options.onEnd));
    });
  }

  /** Ends the connection as a server does that shuts down. Work that waits for its turn is dropped. */
  disconnect(): void {
    this.#ended = true;
    this.#socket.end(
      errorMessage({
        severity: "FATAL",
        code: "57P01",
        text: "terminating connection: the database is being replaced",
      }),
    );
    this.#socket.destroySoon();
  }

  /** One thing after the other; what fails ends the connection, never the server. */
  #then(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch(() => {
      this.#socket.destroy();
    });
  }

  async #read(): Promise<void> {
    if (!this.#started && !(await this.#start())) return;
    for (let next = this.#reader.next(); next !== null && !this.#ended; next = this.#reader.next())
      await this.#handle(next);
  }

  async #start(): Promise<boolean> {
    for (let packet = this.#reader.start(); packet !== null; packet = this.#reader.start()) {
      if (packet.kind === "encryption") {
        this.#socket.write("N");
        continue;
      }
      if (packet.kind === "other") {
        this.#socket.destroy();
        return false;
      }
      const database = packet.parameters.get("database") ?? packet.parameters.get("user") ?? "";
      if (!this.#shared.accepts(database)) {
        this.#refuseDatabase(database);
        return false;
      }
      this.#socket.write(welcome(await this.#shared.parameters(), this.#id));
      this.#started = true;
      return true;
    }
    return false;
  }

  /** There is one database. Answering under another name would let a tool write to live that meant to write elsewhere. */
  #refuseDatabase(database: string): void {
    const text = `database "${database.replaceAll(/[^\x20-\x7e]/g, "?")}" does not exist`;
    this.#socket.end(
      errorMessage({
        severity: "FATAL",
        code: "3D000",
        text,
        hint: "replant serve serves the live database alone, by its name",
      }),
    );
  }

  async #handle(next: ClientMessage): Promise<void> {
    if (next.type === "X") {
      this.#socket.end();
      return;
    }
    // What a client still sends after its COPY was refused.
    if (next.type === "d" || next.type === "c" || next.type === "f") return;
    this.#pending.push(this.#renamed(next));
    if (next.type === "E" || next.type === "Q") this.#pending.push(message("f", `${copyRefused}\0`));
    if (next.type !== "Q" && next.type !== "S" && next.type !== "H" && next.type !== "F") return;
    const request = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#turn ??= await this.#shared.turn();
    if (this.#ended) return;
    const inTransaction = await this.#turn.run(request, (bytes) => this.#socket.write(bytes));
    // After a Flush the request goes on.
    if (next.type !== "H" && !inTransaction) this.#endTurn();
  }

  #renamed(next: ClientMessage): Buffer {
    const found = statementName(next);
    if (found === null || found.name === "") return next.bytes;
    const known = this.#statements.get(found.name) ?? `c${this.#id}_${(this.#statementCount += 1)}`;
    if (next.type === "C") this.#statements.delete(found.name);
    else this.#statements.set(found.name, known);
    return message(next.type, found.before, known, found.behind);
  }

  #endTurn(): void {
    this.#turn?.release();
    this.#turn = null;
  }

  /** Rolls back what is open and forgets the client's statements. */
  async #leave(): Promise<void> {
    if (this.#turn === null && this.#statements.size === 0) return;
    try {
      this.#turn ??= await this.#shared.turn();
      const forget = [...this.#statements.values()].map((name) => message("C", `S${name}\0`));
      const end = message("Q", "rollback\0");
      await this.#turn.run(Buffer.concat([...forget, message("S"), end]), () => undefined);
    } finally {
      this.#endTurn();
    }
  }
}
