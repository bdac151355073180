import type { Catalog, CatalogCache, Files } from "@replant/core";
import { hashOf } from "@replant/core";
import { join } from "node:path";

/** Of the file's shape; a file of another version counts as absent. */
const version = 1;

/**
 * What baselines look like inside: `baselines/<fingerprint>.json` in the project's state directory. It is a cache: a file that is
 * not whole counts as absent, and its baseline is built again.
 */
export function openCatalogs(options: { readonly directory: string; readonly files: Files }): CatalogCache {
  const { files } = options;
  const directory = join(options.directory, "baselines");
  const pathOf = (fingerprint: string): string => {
    if (!/^[0-9a-f]{8,64}$/.test(fingerprint)) throw new Error(`${JSON.stringify(fingerprint)} is no fingerprint`);
    return join(directory, `${fingerprint}.json`);
  };
  return {
    readCatalog: async (fingerprint) => {
      const bytes = await files.read(pathOf(fingerprint));
      return bytes === null ? null : parse(Buffer.from(bytes).toString());
    },
    writeCatalog: async (fingerprint, catalog) => {
      const path = pathOf(fingerprint);
      await files.makeDirectory(directory);
      const text = JSON.stringify({ version, sha256: hashOf(catalog), catalog });
      await files.writeAtomic(path, Buffer.from(`${text}\n`));
    },
  };
}

function parse(text: string): Catalog | null {
  try {
    const found = JSON.parse(text) as { version?: unknown; sha256?: unknown; catalog?: Catalog } | null;
    if (found?.version !== version || found.catalog === undefined) return null;
    // The hash stands for the shape: only what this function's sibling wrote can have it.
    return found.sha256 === hashOf(found.catalog) ? found.catalog : null;
  } catch {
    return null;
  }
}
