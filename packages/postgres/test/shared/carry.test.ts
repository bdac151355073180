import { carryCases } from "./carry-cases.ts";
import { onServers } from "./pairs.ts";

onServers("carrying", [carryCases]);
