import { styleText } from "node:util";
import type { Terminal } from "../interaction.ts";

/** How text looks on this terminal. Without colour every function gives its text back. */
export interface Style {
  readonly rich: boolean;
  readonly columns: number;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly careful: (text: string) => string;
}

export function styleOf({ rich, colour, columns }: Pick<Terminal, "rich" | "colour" | "columns">): Style {
  // Whether there is colour was decided once, from the environment that the command was given.
  const paint = (format: "bold" | "dim" | "green" | "red" | "yellow") => (text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  return {
    rich,
    columns,
    strong: paint("bold"),
    faint: paint("dim"),
    good: paint("green"),
    bad: paint("red"),
    careful: paint("yellow"),
  };
}
