import type { Application, FlagNotFoundError, TypedCommandParameters } from "@stricli/core";
import {
  buildApplication,
  buildCommand,
  buildRouteMap,
  formatMessageForArgumentScannerError,
  ArgumentScannerError,
  text_en,
} from "@stricli/core";
import type { Command, CommandEntry, Context } from "./command.ts";
import { commandTable } from "./commands/index.ts";
import type { FlagSpec, FlagSpecs, FlagValues } from "./flags.ts";
import { commonFlags, kebab } from "./flags.ts";

const groups: Readonly<Record<string, string>> = { migrate: "Show or apply the migrations of live" };

/**
 * The parser of the command line.
 * @param given the command that the line names, loaded; the others are known by name only
 */
export function buildApp(given: Command | null, version: () => Promise<string>): Application<Context> {
  const routes: Record<string, Route> = {};
  for (const entry of commandTable) {
    const [first] = entry.path;
    const grouped = commandTable.some(({ path }) => path[0] === first && path[1] !== undefined);
    routes[first] ??= grouped ? groupOf(first, given) : routeOf(entry, given);
  }
  const root = buildRouteMap({
    routes,
    docs: {
      brief: "Rebuilds a database from its migrations and seeds, and puts back what must survive.",
      fullDescription:
        "Rebuilds a database from its migrations and seeds, and puts back what must survive.\n\nreplant <command> --help tells more about one command.",
    },
  });
  return buildApplication(root, {
    name: "replant",
    scanner: {
      caseStyle: "allow-kebab-for-camel",
      // A slip or two, no more: the default proposes --force for --nope.
      distanceOptions: { threshold: 2, weights: { insertion: 1, deletion: 1, substitution: 1, transposition: 1 } },
    },
    documentation: { disableAnsiColor: true, onlyRequiredInUsageLine: true },
    versionInfo: { getCurrentVersion: version },
    localization: {
      text: {
        ...text_en,
        exceptionWhileParsingArguments: (error) =>
          error instanceof ArgumentScannerError ? describeArgumentError(error) : String(error),
        noCommandRegisteredForInput: ({ input, corrections }) =>
          `there is no command "${input}"${didYouMean(corrections)}`,
      },
    },
  });
}

function describeArgumentError(error: ArgumentScannerError): string {
  const text = formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }: FlagNotFoundError) =>
      `there is no flag --${kebab(input)}${didYouMean([...new Set(corrections.map((name) => `--${kebab(name)}`))])}`,
  });
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

function didYouMean(corrections: readonly string[]): string {
  return corrections.length === 0
    ? ""
    : `; did you mean ${corrections.map((word) => word.replaceAll("`", "")).join(" or ")}?`;
}

type Route = ReturnType<typeof toStricli> | ReturnType<typeof buildRouteMap<string, Context>>;

function groupOf(name: string, given: Command | null): Route {
  const members = commandTable.filter(({ path }) => path[0] === name && path[1] !== undefined);
  const routes = Object.fromEntries(members.map((entry) => [entry.path[1] ?? "", routeOf(entry, given)]));
  const plain = commandTable.find(({ path }) => path[0] === name && path[1] === undefined);
  if (plain === undefined) return buildRouteMap<string, Context>({ routes, docs: { brief: groups[name] ?? name } });
  // The group's own word is a command too; Stricli wants it to have a route, which nobody has to know.
  const loaded = given !== null && nameOf(given.spec) === nameOf(plain) ? describePlain(given) : plain.brief;
  return buildRouteMap<string, Context>({
    routes: { ...routes, [plainRoute]: routeOf(plain, given) },
    defaultCommand: plainRoute,
    docs: { brief: plain.brief, fullDescription: loaded, hideRoute: { [plainRoute]: true } },
  });
}

const plainRoute = "create";

/** The help of a group whose own word is a command: Stricli tells of a group only what it is made of. */
function describePlain({ spec }: Command): string {
  const flags = Object.entries<FlagSpec>({ ...spec.flags, ...commonFlags }).map(([name, flag]) => {
    const value = "placeholder" in flag ? `=<${flag.placeholder}>` : "";
    return `  --${kebab(name)}${value}  ${flag.brief}`;
  });
  return [`${spec.brief}.\n\n${spec.description}\n`, `replant ${spec.path[0]} by itself has the flags`, ...flags].join(
    "\n",
  );
}

function routeOf(entry: CommandEntry, given: Command | null): ReturnType<typeof toStricli> {
  return given !== null && nameOf(given.spec) === nameOf(entry) ? toStricli(given) : namedOnly(entry);
}

function nameOf({ path }: Pick<CommandEntry, "path">): string {
  return path.join(" ");
}

/** Stands in the list of commands, and is never the one that runs. */
function namedOnly({ brief, path }: CommandEntry): ReturnType<typeof toStricli> {
  return buildCommand<FlagValues<FlagSpecs>, string[], Context>({
    func: () => new Error(`${path.join(" ")} was not loaded`),
    parameters: {} as unknown as TypedCommandParameters<FlagValues<FlagSpecs>, string[], Context>,
    docs: { brief },
  });
}

function toStricli({ spec, run }: Command): ReturnType<typeof buildCommand<FlagValues<FlagSpecs>, string[], Context>> {
  const flags: FlagSpecs = { ...spec.flags, ...commonFlags };
  const parameters = {
    flags: Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, toStricliFlag(flag)])),
    aliases: Object.fromEntries(
      Object.entries(flags).flatMap(([name, flag]) =>
        flag.kind === "value" && flag.alias !== undefined ? [[flag.alias, name]] : [],
      ),
    ),
    positional:
      spec.many === true
        ? { kind: "array", parameter: { ...spec.argument, parse: String } }
        : {
            kind: "tuple",
            parameters: [...(spec.argument === null ? [] : [spec.argument]), ...(spec.further ?? [])].map(
              (argument) => ({ ...argument, parse: String, optional: true }),
            ),
          },
  };
  return buildCommand<FlagValues<FlagSpecs>, string[], Context>({
    func: async function (this: Context, values, ...words) {
      await run(this, nameOf(spec), { flags: values, words: words.filter((word) => word !== undefined) });
    },
    // The shape follows from the specs; Stricli's own types want it written out flag by flag.
    parameters: parameters as unknown as TypedCommandParameters<FlagValues<FlagSpecs>, string[], Context>,
    docs: { brief: spec.brief, fullDescription: `${spec.brief}.\n\n${spec.description}` },
  });
}

function toStricliFlag(flag: FlagSpec): object {
  const { brief } = flag;
  switch (flag.kind) {
    case "switch":
      return { kind: "boolean", brief, default: false, withNegated: false };
    case "value":
      return { kind: "parsed", brief, placeholder: flag.placeholder, parse: String, optional: true };
    case "number":
      return { kind: "parsed", brief, placeholder: flag.placeholder, parse: parseWhole, optional: true };
    case "list":
      return {
        kind: "parsed",
        brief,
        placeholder: flag.placeholder,
        parse: String,
        optional: true,
        variadic: flag.separator ?? true,
      };
    case "choice":
      return { kind: "enum", brief, values: flag.values, optional: true };
    default:
      return flag satisfies never;
  }
}

function parseWhole(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new Error(`"${text}" is not a whole number`);
  return Number(text);
}
