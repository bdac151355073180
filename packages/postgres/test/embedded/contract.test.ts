import { engineContract } from "@replant/testkit";
import { openEmbedded } from "../../src/embedded/index.ts";
import { freshOptions } from "./workbench.ts";

engineContract("PGlite", async () => {
  const options = freshOptions();
  return { open: () => openEmbedded(options) };
});
