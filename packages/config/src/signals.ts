import type { GuardSignals } from "@replant/core";
import type { ResolvedDatabase } from "./resolve.ts";

/** What one set of variables says about production; names, never values. One line each. */
export interface ProductionSigns {
  readonly productionVariables: readonly string[];
  readonly liveKeys: readonly string[];
}

/** Variables by which hosts, frameworks and people say what an environment is. */
const environmentNames = new Set([
  "NODE_ENV",
  "APP_ENV",
  "DEPLOY_ENV",
  "ENVIRONMENT",
  "VERCEL_ENV",
  "VERCEL_TARGET_ENV",
  "CONTEXT",
  "RAILWAY_ENVIRONMENT",
  "RAILWAY_ENVIRONMENT_NAME",
]);

/**
 * Looks for signs of production in variables: `NODE_ENV=production` and its kin, and keys of Clerk's or Stripe's live mode
 * under any name. Quotation marks that came along with a value do not hide it.
 */
export function productionSigns(
  variables: Iterable<readonly [name: string, value: string, where: string | null]>,
): ProductionSigns {
  const productionVariables: string[] = [];
  const liveKeys: string[] = [];
  for (const [name, value, where] of variables) {
    const bare = value.replace(/^[\s"']+/, "");
    const place = where === null ? "" : ` (${where})`;
    const said = /^prod(?:uction)?(?=[\s"']*$)/i.exec(bare)?.[0].toLowerCase();
    if (said !== undefined && environmentNames.has(name)) productionVariables.push(`${name}=${said}${place}`);
    const prefix = /^[sp]k_live_/.exec(bare)?.[0];
    const shown = /^[\w.-]+$/.test(name) ? name : "a variable";
    if (prefix !== undefined) liveKeys.push(`${shown} starts with ${prefix}${place}`);
  }
  return { productionVariables, liveKeys };
}

/** The part of what the guard looks at that comes from the environment, the env files and the command line. */
export type EnvironmentSignals = Pick<
  GuardSignals,
  "source" | "productionVariables" | "liveKeys" | "consent" | "alternative"
>;

/**
 * Gathers what environment and env files say to the guard. A variable of a file counts only where the environment does not
 * set it, as it does for the app.
 * @param options.yes the database that `--yes=` names, or null
 * @param options.productionNames of the configuration (`guard.productionNames`)
 */
export function guardSignalsFrom(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly resolved: ResolvedDatabase;
  readonly yes: string | null;
  readonly productionNames: readonly string[];
}): EnvironmentSignals {
  const { env, resolved, yes, productionNames } = options;
  const shell = productionSigns(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value, null] as const])),
  );
  return {
    source: resolved.source,
    productionVariables: [
      ...shell.productionVariables,
      ...resolved.signs.productionVariables,
      ...namedSigns(resolved, productionNames),
    ],
    liveKeys: [...shell.liveKeys, ...resolved.signs.liveKeys],
    consent: yes,
    alternative:
      resolved.alternative === null ? null : `${resolved.alternative.source} (${resolved.alternative.location})`,
  };
}

function namedSigns(resolved: ResolvedDatabase, productionNames: readonly string[]): string[] {
  if (resolved.kind === "embedded") return [];
  const { database, host } = resolved.address;
  const names = productionNames.map((name) => name.toLowerCase());
  return [
    ...(names.includes(database.toLowerCase()) ? ["guard.productionNames names the database"] : []),
    ...(names.includes(host) ? ["guard.productionNames names the host"] : []),
  ];
}
