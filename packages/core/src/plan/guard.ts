import { ReplantError } from "../errors.ts";

/** What the guard looks at. Values that may hold secrets are reduced to what matters before they come here. */
export interface GuardSignals {
  readonly database: string;
  /** `host:port`, socket or directory. */
  readonly location: string;
  /** Where the connection's address came from, for people: `DATABASE_URL of the shell`, `packages/database/.env:3`. */
  readonly source: string;
  /** Loopback, socket or embedded. */
  readonly local: boolean;
  /** Names of variables whose value says production: `NODE_ENV=production`. */
  readonly productionVariables: readonly string[];
  /** Names of variables that hold a live key: `CLERK_SECRET_KEY starts with sk_live_`. */
  readonly liveKeys: readonly string[];
  /** The mark inside the database. */
  readonly environment: string | null;
  /** The database that `--yes=` names, or null. */
  readonly consent: string | null;
  /** A connection that another source gives and that is local, if there is one: what the person probably meant. */
  readonly alternative: string | null;
}

const productionName = /(^|[^a-z0-9])(prod|production)([^a-z0-9]|$)/i;

/**
 * Refuses what must never be replaced. Signs of production refuse whatever else is said; there is no flag for them.
 * @throws ReplantError REPLANT_GUARD_PRODUCTION | REPLANT_GUARD_REMOTE
 */
export function assertMayReplace(signals: GuardSignals): void {
  const because = [
    ...(signals.environment === "production" ? ["the mark in the database says production"] : []),
    ...(productionName.test(signals.database) ? [`the name "${signals.database}" says production`] : []),
    ...(productionName.test(signals.location) ? [`the address ${signals.location} says production`] : []),
    ...signals.productionVariables,
    ...signals.liveKeys,
  ];
  const wanted = signals.alternative === null ? "" : `; ${signals.alternative} names a local database`;
  if (because.length > 0) {
    const onlyKeys = because.length === signals.liveKeys.length;
    throw new ReplantError("REPLANT_GUARD_PRODUCTION", "this looks like production", {
      items: because,
      why: `the connection came from ${signals.source}${wanted}`,
      state: "nothing was touched",
      hint: onlyKeys
        ? "use the keys of a development instance; no flag goes past those of a production one"
        : "point the connection at a development database; no flag resets a production one",
    });
  }
  if (!signals.local && signals.consent !== signals.database) {
    throw new ReplantError(
      "REPLANT_GUARD_REMOTE",
      `"${signals.database}" at ${signals.location} is not on this machine`,
      {
        why: `the connection came from ${signals.source}${wanted}`,
        state: "nothing was touched",
        hint: `if you mean it, say its name: --yes=${signals.database}`,
      },
    );
  }
}
