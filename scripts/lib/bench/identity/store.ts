import { referenceMapping } from "../../../../packages/identity-sync/src/index.ts";
import {
  openIdentityStore,
  type PostgresIdentityStore,
} from "../../../../packages/identity-sync/src/postgres/index.ts";
import { openServer } from "../../../../packages/postgres/src/server/index.ts";

/** The store over the database that DATABASE_URL names. The caller closes it. */
export async function openStore(): Promise<PostgresIdentityStore> {
  const engine = openServer({ url: process.env["DATABASE_URL"] ?? "" });
  const live = await engine.liveRef();
  if (live === null) throw new Error("the database is not there");
  const store = await openIdentityStore(() => engine.connect(live), referenceMapping);
  return {
    ...store,
    close: async () => {
      await store.close();
      await engine.close();
    },
  };
}
