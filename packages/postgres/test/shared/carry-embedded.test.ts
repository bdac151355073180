import { carryCases } from "./carry-cases.ts";
import { onEmbedded } from "./pairs.ts";

onEmbedded("carrying", [carryCases]);
