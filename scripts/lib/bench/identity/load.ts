import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { SignedMessage } from "./made-up.ts";

/** How a receiver did. */
export interface Load {
  /** Ids of the messages that were answered with 200. */
  readonly accepted: readonly string[];
  readonly elapsedMs: number;
  /** Of every answer, from when the message was due. */
  readonly latenciesMs: readonly number[];
}

/** How messages are sent: as fast as so many senders can, or so many every second whatever becomes of them. */
export type Pace = { readonly senders: number } | { readonly perSecond: number };

/** Sends messages, each once. A receiver that goes away in the middle ends it. */
export async function send(url: string, messages: readonly SignedMessage[], pace: Pace): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: "senders" in pace ? pace.senders : 256 });
  const accepted: string[] = [];
  const latenciesMs: number[] = [];
  const one = async (message: SignedMessage, dueAt: number): Promise<boolean> => {
    const status = await post(url, message, agent);
    latenciesMs.push(performance.now() - dueAt);
    if (status === 200) accepted.push(message.id);
    return status !== null;
  };
  const startedAt = performance.now();
  if ("senders" in pace) await asFastAs(pace.senders, messages, one);
  else await every(1000 / pace.perSecond, messages, (message, due) => one(message, startedAt + due));
  const elapsedMs = performance.now() - startedAt;
  agent.destroy();
  return { accepted, elapsedMs, latenciesMs };
}

async function asFastAs(
  senders: number,
  messages: readonly SignedMessage[],
  one: (message: SignedMessage, dueAt: number) => Promise<boolean>,
): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let message = messages[next++]; message !== undefined; message = messages[next++]) {
      if (!(await one(message, performance.now()))) return;
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
}

async function every(
  gapMs: number,
  messages: readonly SignedMessage[],
  one: (message: SignedMessage, dueMs: number) => Promise<boolean>,
): Promise<void> {
  const startedAt = performance.now();
  const sent: Promise<boolean>[] = [];
  while (sent.length < messages.length) {
    const due = Math.min(messages.length, Math.floor((performance.now() - startedAt) / gapMs));
    for (const message of messages.slice(sent.length, due)) sent.push(one(message, sent.length * gapMs));
    await sleep(1);
  }
  await Promise.all(sent);
}

/** The status of the answer; null when there is none. */
function post(url: string, { headers, body }: SignedMessage, agent: Agent): Promise<number | null> {
  return new Promise((resolve) => {
    const sending = request(url, {
      method: "POST",
      agent,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
    });
    sending.once("error", () => resolve(null));
    sending.once("response", (response) => {
      response.once("error", () => resolve(null));
      response.once("end", () => resolve(response.statusCode ?? null));
      response.resume();
    });
    sending.end(body);
  });
}
