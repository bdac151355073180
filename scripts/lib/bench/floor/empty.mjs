// The least that any command of Node costs.
import process from "node:process";

process.exitCode = 0;
