import { engineContract } from "@replant/testkit";
import { freshPlace } from "./workbench.ts";

engineContract("PostgreSQL 15", () => freshPlace(15));
engineContract("PostgreSQL 18", () => freshPlace(18));
