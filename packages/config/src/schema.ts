import type { ColumnRule, KeepRule, KeepRules, NaturalKeys, OnMissing, ReferenceRule } from "@replant/core";
import { identityFields } from "@replant/core";
import { posix } from "node:path";
import * as v from "valibot";
import { type Member, object, omittable, optional, quoted, record, required, type Schema } from "./combinators.ts";
import { didYouMean } from "./suggest.ts";

/** A checked configuration: every default is filled in. Paths and globs are as written, relative to the project's root. */
export interface ProjectConfig {
  readonly project: string;
  readonly database: {
    readonly urlVariable: string;
    /** In the order in which they are asked. */
    readonly envFiles: readonly string[];
    /** Name of the embedded database; safe as the name of a directory. */
    readonly name: string;
    /** null: a server where a URL is found, else embedded. */
    readonly engine: "server" | "embedded" | null;
  };
  readonly migrations: { readonly tool: "prisma"; readonly directory: string };
  readonly seeds: {
    readonly files: readonly string[];
    readonly sets: readonly string[];
    readonly commands: readonly {
      readonly name: string;
      readonly set: string;
      /** Program and arguments; at least the program. */
      readonly command: readonly string[];
      readonly cwd: string;
      readonly inputs: readonly string[];
      readonly description?: string;
      readonly dependsOn: readonly string[];
      readonly mayBeEmpty: boolean;
      readonly passEnv: readonly string[];
      readonly timeoutMs?: number;
    }[];
  };
  /** Has no prototype, and neither has any `onMissing`: a table named `constructor` has a rule only if one was written. */
  readonly keep: KeepRules;
  /** Has no prototype. */
  readonly naturalKeys: NaturalKeys;
  readonly backups: { readonly directory: string; readonly keepLast: number; readonly maxAgeDays: number };
  readonly previous: { readonly keep: number };
  readonly identity: IdentitySection | null;
  readonly guard: { readonly productionNames: readonly string[] };
}

/** Labels and columns as they are written; null where the reference schema decides. */
export interface IdentitySection {
  readonly provider: "clerk";
  readonly secretKeyVariable: string;
  readonly apiUrlVariable: string;
  readonly users: IdentityTable | null;
  readonly organizations: IdentityTable | null;
  readonly memberships: (IdentityTable & { readonly user: string; readonly organization: string }) | null;
  /** Absent: as in the reference schema; null: as they are. */
  readonly roles?: Readonly<Record<string, string>> | null;
  readonly tables: Readonly<Partial<Record<"inbox" | "objects" | "parked" | "seen" | "state", string>>>;
}

export interface IdentityTable {
  readonly table: string;
  readonly id: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly deletedAt: string | null;
}

type Raw<Section extends keyof ProjectConfig> = ProjectConfig[Section];

const text = v.pipe(
  v.string("must be a string"),
  v.check((value) => value.trim() !== "", "must not be empty"),
  v.check((value) => !value.includes("\0"), "must not hold a NUL character"),
);
const printable = v.pipe(
  text,
  v.check((value) => !/\p{Cc}/u.test(value), "must not hold control characters"),
);
const slug = matching(/^[a-z0-9][a-z0-9-]*$/, "lower-case letters, digits and dashes");
const variable = matching(/^[A-Za-z_]\w*$/, "the name of a variable, not its value");

function matching(pattern: RegExp, is: string): Schema<string> {
  return v.pipe(v.string("must be a string"), v.regex(pattern, `must be ${is}`));
}

function oneOf<const Option extends string>(...options: Option[]): Schema<Option> {
  return v.picklist(options, ({ input }) => {
    const meant = typeof input === "string" ? didYouMean(input, options) : "";
    return `must be ${options.map((option) => `"${option}"`).join(" or ")}${meant}`;
  });
}

function list<Item>(item: Schema<Item>): Schema<Item[]> {
  return v.array(item, "must be a list");
}

function filled<Item>(item: Schema<Item>): Schema<Item[]> {
  return v.pipe(list(item), v.minLength(1, "must not be empty"));
}

function atLeast(least: number): Schema<number> {
  return v.custom<number>(
    (value) => Number.isSafeInteger(value) && Number(value) >= least,
    `must be a whole number, ${least} or more`,
  );
}

const days = v.pipe(
  v.number("must be a number of days"),
  v.finite("must be finite"),
  v.minValue(0, "must be 0 or more"),
);

const database: Schema<Raw<"database">> = v.pipe(
  object(
    {
      urlVariable: optional(variable, "DATABASE_URL"),
      envFiles: optional<string[] | null>(list(text), null),
      package: optional(text, "."),
      // As long as a server's names may be.
      name: optional(matching(/^[A-Za-z0-9][\w-]{0,62}$/, "up to 63 letters, digits, _ and -"), "app"),
      engine: optional<"server" | "embedded" | null>(oneOf("server", "embedded"), null),
    },
    { url: "the URL belongs into the environment, urlVariable names the variable" },
  ),
  v.transform(({ package: directory, envFiles, ...rest }) => ({
    ...rest,
    envFiles: [...new Set(envFiles ?? prismaOrder(directory))],
  })),
);

/** The files that Prisma up to 6 reads; Prisma 7 leaves reading them to the project. */
function prismaOrder(directory: string): string[] {
  return [posix.join(directory, ".env"), posix.join(directory, "prisma/.env"), ".env"];
}

const command: Schema<Raw<"seeds">["commands"][number]> = object({
  name: required(slug),
  set: optional(slug, "system"),
  command: required(
    filled(
      v.pipe(
        v.string("must be a string"),
        v.check((part) => !part.includes("\0"), "must not hold a NUL character"),
      ),
    ),
  ),
  cwd: optional(text, "."),
  inputs: required(filled(text)),
  description: omittable(printable),
  dependsOn: optional(list(slug), []),
  mayBeEmpty: optional(v.boolean("must be true or false"), false),
  passEnv: optional(list(variable), []),
  timeoutMs: omittable(atLeast(1)),
});

const seeds: Schema<Raw<"seeds">> = object({
  files: required(list(text)),
  sets: optional(list(slug), ["system"]),
  commands: optional(
    v.pipe(
      list(command),
      // What was found wrong already does not keep this from being looked at.
      v.rawCheck(({ dataset: { value }, addIssue }) => {
        for (const name of repeated(namesOf(value))) addIssue({ message: `names two commands ${quoted(name)}` });
      }),
    ),
    [],
  ),
});

function namesOf(commands: unknown): string[] {
  return (Array.isArray(commands) ? commands : []).flatMap((item: unknown) => {
    const name = typeof item === "object" && item !== null && "name" in item ? item.name : null;
    return typeof name === "string" ? [name] : [];
  });
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

const word = oneOf("error", "null", "drop-row");
const seededRow: Schema<OnMissing> = object<Extract<OnMissing, object>>({
  seed: required(
    v.lazy((input): Schema<string | Readonly<Record<string, string>>> =>
      typeof input === "string" ? text : record(text, text),
    ),
  ),
});
const onMissing: Schema<OnMissing> = v.lazy((input): Schema<OnMissing> =>
  typeof input === "object" && input !== null ? seededRow : word,
);

const mapped: Schema<string | null> = v.lazy((input): Schema<string | null> =>
  input === null ? v.null() : v.string("must be a string or null"),
);

const columnRule: Schema<ColumnRule> = v.pipe(
  object<ColumnRule>(
    {
      rename: omittable(text),
      fill: omittable(text),
      convert: omittable(text),
      map: omittable(record<string | null>(v.string(), mapped)),
      drop: omittable(v.boolean("must be true or false")),
      from: omittable(oneOf("kept", "seed")),
    },
    { renamedFrom: "a column's old name is its rename" },
  ),
  v.rawCheck<ColumnRule>(({ dataset: { value }, addIssue }) => {
    const given: ColumnRule = typeof value === "object" && value !== null ? value : {};
    const told = Object.keys(given);
    if (told.length === 0) addIssue({ message: "must say something: rename, fill, convert, map, drop or from" });
    if (given.drop === true && told.length > 1) addIssue({ message: "cannot drop a column and say more of it" });
    for (const other of ["rename", "map"].filter((name) => given.convert !== undefined && told.includes(name))) {
      addIssue({ message: `cannot have both convert and ${other}: convert sees the backup's columns as they were` });
    }
  }),
);

/** `configuration.servers.*.id`, or its parts in a list where one of them has a dot. */
const path: Schema<readonly string[]> = v.lazy((input): Schema<readonly string[]> =>
  Array.isArray(input) ? filled(text) : dotted,
);
const dotted: Schema<readonly string[]> = v.pipe(
  text,
  v.transform((value) => value.split(".")),
  v.check((parts) => !parts.includes(""), "must be names with dots between them"),
);

const reference: Schema<ReferenceRule> = object<ReferenceRule>({
  path: required(path),
  table: required(text),
  column: optional<string | null>(text, null),
  when: optional<string | null>(text, null),
  onMissing: optional<OnMissing>(onMissing, "error"),
});

const rule: Schema<KeepRule> = object<Omit<KeepRule, "optional">>({
  where: optional<string | null>(text, null),
  onConflict: optional(oneOf("kept", "seed", "error"), "kept"),
  onMissing: optional(record<OnMissing>(text, onMissing), emptyRecord()),
  renamedFrom: omittable(text),
  columns: omittable(record<ColumnRule>(text, columnRule)),
  references: omittable(list(reference)),
});

/** `true` and a condition alone are short for a rule. The kind is decided first, so that an issue tells what is wrong in it. */
const keepRule: Schema<KeepRule> = v.lazy((input): Schema<KeepRule> => {
  if (input === true) return everyRow;
  if (typeof input === "string") return condition;
  return typeof input === "object" && input !== null && !Array.isArray(input) ? rule : neither;
});

const everyRow: Schema<KeepRule> = v.pipe(
  v.unknown(),
  v.transform(() => keepWhere(null)),
);
const condition: Schema<KeepRule> = v.pipe(
  text,
  v.transform((where) => keepWhere(where)),
);
const neither: Schema<KeepRule> = v.custom<KeepRule>(
  () => false,
  "must be true, an SQL condition or a rule; leave the table out to rebuild it",
);

function keepWhere(where: string | null): KeepRule {
  return { where, onConflict: "kept", onMissing: emptyRecord() };
}

function emptyRecord(): Readonly<Record<string, never>> {
  return Object.create(null) as Readonly<Record<string, never>>;
}

const keep: Schema<KeepRules> = v.pipe(
  record<KeepRule>(text, keepRule),
  v.rawCheck<KeepRules>(({ dataset, addIssue }) => {
    const rules: unknown = dataset.value;
    const labels = typeof rules === "object" && rules !== null ? Object.keys(rules) : [];
    for (const label of labels.filter((name) => labels.includes(`public.${name}`))) {
      addIssue({ message: `names one table twice: ${quoted(label)} and ${quoted(`public.${label}`)}` });
    }
  }),
);

const userFields = oneOf(...identityFields.user);
const organizationFields = oneOf(...identityFields.organization);
const membershipFields = oneOf(...identityFields.membership);

function identityTable(fields: Schema<string>): Schema<IdentityTable> {
  return object<IdentityTable>(tableMembers(fields));
}

function tableMembers(fields: Schema<string>): {
  table: Member<string>;
  id: Member<string>;
  columns: Member<Readonly<Record<string, string>>>;
  deletedAt: Member<string | null>;
} {
  return {
    table: required(text),
    id: required(text),
    columns: required(record<string>(text, fields)),
    deletedAt: optional<string | null>(nullable(text), "deleted_at"),
  };
}

function nullable<Output>(schema: Schema<Output>): Schema<Output | null> {
  return v.lazy((input): Schema<Output | null> => (input === null ? v.null() : schema));
}

const identity: Schema<IdentitySection> = object<IdentitySection>({
  provider: required(oneOf("clerk")),
  secretKeyVariable: optional(variable, "CLERK_SECRET_KEY"),
  apiUrlVariable: optional(variable, "CLERK_API_URL"),
  users: optional<IdentityTable | null>(identityTable(userFields), null),
  organizations: optional<IdentityTable | null>(identityTable(organizationFields), null),
  memberships: optional<IdentitySection["memberships"]>(
    object<NonNullable<IdentitySection["memberships"]>>({
      ...tableMembers(membershipFields),
      user: required(text),
      organization: required(text),
    }),
    null,
  ),
  roles: omittable<Readonly<Record<string, string>> | null>(nullable(record<string>(text, text))),
  tables: optional<IdentitySection["tables"]>(
    object<IdentitySection["tables"]>({
      inbox: omittable(text),
      objects: omittable(text),
      parked: omittable(text),
      seen: omittable(text),
      state: omittable(text),
    }),
    {},
  ),
});

/** The whole configuration. `project` is null where it says none. */
export const configSchema: Schema<Omit<ProjectConfig, "project"> & { readonly project: string | null }> = object({
  project: optional<string | null>(printable, null),
  database: optional(database, v.parse(database, {})),
  migrations: required<Raw<"migrations">>(object({ tool: required(oneOf("prisma")), directory: required(text) })),
  seeds: optional(seeds, { files: [], sets: ["system"], commands: [] }),
  keep: optional<KeepRules>(keep, emptyRecord()),
  naturalKeys: optional<NaturalKeys>(record<readonly string[]>(text, filled(text)), emptyRecord()),
  backups: section<Raw<"backups">>({
    directory: optional(text, "backups"),
    keepLast: optional(atLeast(1), 20),
    maxAgeDays: optional(days, 14),
  }),
  previous: section<Raw<"previous">>({ keep: optional(atLeast(0), 1) }),
  identity: optional<IdentitySection | null>(identity, null),
  guard: section<Raw<"guard">>({ productionNames: optional(list(text), []) }),
});

/** An object that may be absent as a whole because each of its members may. */
function section<Output extends object>(members: Parameters<typeof object<Output>>[0]): Member<Output> {
  const schema = object<Output>(members);
  return optional(schema, v.parse(schema, {}));
}
