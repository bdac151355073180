import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "./interaction.ts";

/** How commands are typed where this one was typed. */
export interface Invocation {
  /** A command of ours: the project's own script for it where there is one, else through the package manager that is in use. */
  readonly replant: (args: readonly string[]) => string;
}

/**
 * Finds out by which package manager the command was started, and which scripts the project has.
 * @param root directory of the project, or null while it is not known
 */
export function invocationOf(env: Environment, root: string | null): Invocation {
  const manager = managerOf(env);
  const scripts = root === null ? {} : scriptsOf(root);
  return {
    replant: (args) => {
      const script = Object.entries(scripts).find(([, text]) => runsReplant(text, args))?.[0];
      const words = args.map(shellWord).join(" ");
      if (manager === null) return `replant ${words}`;
      return script === undefined ? `${manager.exec} replant ${words}` : `${manager.run} ${script}`;
    },
  };
}

/** Also a script that names the file of the command: `node node_modules/@replant/cli/dist/bin.mjs undo`. */
function runsReplant(script: string, args: readonly string[]): boolean {
  const [, given] = /^(?:replant|node \S*\/bin\.[cm]?[jt]s) (.*)$/.exec(script.trim()) ?? [];
  return given === args.join(" ");
}

interface Manager {
  readonly run: string;
  readonly exec: string;
}

const managers: Readonly<Record<string, Manager>> = {
  npm: { run: "npm run", exec: "npx" },
  pnpm: { run: "pnpm", exec: "pnpm" },
  yarn: { run: "yarn", exec: "yarn" },
  bun: { run: "bun run", exec: "bunx" },
};

function managerOf(env: Environment): Manager | null {
  // Only a script that is run has this; the user agent alone may be inherited from a shell.
  if (env["npm_lifecycle_event"] === undefined) return null;
  const [, name, major] = /^(npm|pnpm|yarn|bun)\/(\d+)/.exec(env["npm_config_user_agent"] ?? "") ?? [];
  if (name === undefined) return null;
  // Somebody without pnpm runs it through npx; the hint has to work for them too.
  const lent = name === "pnpm" && /[\\/]_npx[\\/]/.test(env["npm_execpath"] ?? "");
  return lent ? { run: `npx -y pnpm@${major}`, exec: `npx -y pnpm@${major}` } : (managers[name] ?? null);
}

function scriptsOf(root: string): Readonly<Record<string, string>> {
  try {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts?: Record<string, string>;
    };
    return scripts ?? {};
  } catch {
    return {};
  }
}

/** A word that a POSIX shell reads back as it is. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
