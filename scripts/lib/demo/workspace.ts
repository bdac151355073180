import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { cp, mkdtemp, readdir, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { SqlSession } from "../../../packages/core/src/index.ts";
import { onLive } from "../live.ts";

const repository = join(import.meta.dirname, "../../..");
const cli = join(repository, "apps/cli/src/bin.ts");
const database = join(repository, "packages/database");

const passedOn = ["PATH", "HOME", "TMPDIR", "LANG", "TERM", "COLORTERM", "NO_COLOR", "CI", "SystemRoot", "TEMP"];

/** All that a program of the demo gets of this process's environment: no address of a database, no settings. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(passedOn.map((name) => [name, process.env[name]]));
}

export interface CommandOptions {
  /** Hears of every line when it has been printed. */
  readonly onLine?: (line: string) => void;
}

export interface WorkspaceOptions {
  /** What the project needs to talk to Clerk; absent: it has no key. */
  readonly clerk?: Readonly<Record<string, string>>;
}

/** A project in a directory of its own, with the reference workspace's migrations, seeds and keep rules. */
export interface DemoWorkspace {
  readonly directory: string;
  readonly migrations: number;
  readonly seeds: number;
  /** `replant` as a program with arguments, to be run in `directory` with `environment`. */
  readonly cli: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Runs `replant` in it; what it prints goes where this process prints. Returns the exit code. */
  replant(args: readonly string[], options?: CommandOptions): Promise<number>;
  /** Works in a session of live, which no command may use meanwhile. */
  onLive<Value>(work: (session: SqlSession) => Promise<Value>): Promise<Value>;
}

/** Makes the project in the temporary directory; the caller removes it. */
export async function makeDemoWorkspace({ clerk }: WorkspaceOptions = {}): Promise<DemoWorkspace> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "replant-demo-")));
  await cp(join(database, "prisma/migrations"), join(directory, "migrations"), { recursive: true });
  await cp(join(database, "seeds"), join(directory, "seeds"), { recursive: true });
  // What the seeds import. A junction needs no rights on Windows and is a plain link elsewhere.
  await symlink(join(database, "node_modules"), join(directory, "node_modules"), "junction");
  await writeFile(join(directory, "package.json"), '{ "name": "demo", "private": true, "type": "module" }\n');
  await writeFile(join(directory, "replant.config.ts"), configuration());
  const environment = { ...plainEnvironment(), ...clerk };
  const migrations = (await readdir(join(directory, "migrations"), { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  return {
    directory,
    migrations: migrations.length,
    seeds: (await readdir(join(directory, "seeds"))).length,
    cli,
    environment,
    replant: async (args, { onLine } = {}) => {
      const child = spawn(process.execPath, [cli, ...args], {
        cwd: directory,
        env: environment,
        // One stream, so that its lines stay between those of the demo.
        stdio: onLine === undefined ? ["ignore", 1, 1] : ["ignore", 1, "pipe"],
      });
      if (child.stderr !== null && onLine !== undefined) {
        createInterface({ input: child.stderr }).on("line", (line) => {
          console.log(line);
          onLine(line);
        });
      }
      const [code] = (await once(child, "close")) as [number | null];
      return code ?? 1;
    },
    onLive: (work) => onLive(directory, work),
  };
}

/** The keep rules and the identity provider are those of the reference workspace itself. */
function configuration(): string {
  const reference = pathToFileURL(join(repository, "replant.config.ts")).href;
  return `import reference from ${JSON.stringify(reference)};

export default {
  ...reference,
  project: "demo",
  database: { engine: "embedded" },
  migrations: { tool: "prisma", directory: "migrations" },
  seeds: { files: ["seeds/*.ts"], sets: ["system"] },
};
`;
}
