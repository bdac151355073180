import { join } from "node:path";
import type { Stage } from "./stage.ts";
import { plainEnvironment } from "./workspace.ts";

const emulator = join(import.meta.dirname, "../../../packages/testkit/src/clerk/emulate.ts");

/** A webhook, and how the attempts to deliver it were answered: the status, or `no answer`. */
export interface Message {
  readonly type: string;
  readonly answers: readonly string[];
}

/** A Clerk instance on this machine. */
export interface Clerk {
  /** What a project and an app need to talk to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Calls the Backend API. @throws Error when it does not answer with success */
  call<Answer>(operation: string, body?: object): Promise<Answer>;
  /** How many it has of each kind. */
  counts(): Promise<{ readonly users: number; readonly organizations: number; readonly memberships: number }>;
  /**
   * The messages that were sent since then, which was a `mark`. Waits until there is one of every type and the app has taken all.
   */
  delivered(types: readonly string[], since: number): Promise<readonly Message[]>;
  /** A moment. */
  mark(): number;
}

/** Starts an instance with 3 organizations and 8 users, of whom nobody is told; what happens later goes to `endpoint`. */
export async function startClerk(
  stage: Stage,
  { cwd, endpoint }: { readonly cwd: string; readonly endpoint: string },
): Promise<Clerk> {
  const args = [emulator, "--port=0", "--silent", `--endpoint=${endpoint}`];
  const program = stage.start("the emulator", args, { cwd, env: plainEnvironment() });
  await program.line(/^CLERK_JWT_KEY=/);
  const environment = Object.fromEntries(
    program.lines.flatMap((line) => {
      const [, name, value] = /^(CLERK_\w+)=(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
  const call = caller(environment);
  return {
    environment,
    call,
    counts: async () => {
      const [users, organizations, memberships] = await Promise.all(
        ["users/count", "organizations?limit=1", "organization_memberships?limit=1"].map((path) =>
          call<{ total_count: number }>(`GET /v1/${path}`),
        ),
      );
      return {
        users: users?.total_count ?? 0,
        organizations: organizations?.total_count ?? 0,
        memberships: memberships?.total_count ?? 0,
      };
    },
    delivered: (types, since) => program.until((lines) => takenMessages(types, lines), since),
    mark: () => program.lines.length,
  };
}

function caller({ CLERK_API_URL: url = "", CLERK_SECRET_KEY: key = "" }: Clerk["environment"]): Clerk["call"] {
  return async <Answer>(operation: string, body?: object) => {
    const [method = "", path = ""] = operation.split(" ");
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${operation}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };
}

function takenMessages(types: readonly string[], lines: readonly string[]): Message[] | null {
  const messages = new Map<string, { readonly type: string; readonly answers: string[] }>();
  for (const line of lines) {
    const [, type = "", id = "", answer = ""] = /^webhook (\S+) (\S+): (.+)$/.exec(line) ?? [];
    if (id === "") continue;
    const message = messages.get(id) ?? { type, answers: [] };
    message.answers.push(answer);
    messages.set(id, message);
  }
  const all = [...messages.values()];
  const sent = types.every((wanted) => all.some(({ type }) => type === wanted));
  return sent && all.every(({ answers }) => answers.at(-1) === "200") ? all : null;
}
