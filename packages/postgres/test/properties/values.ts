/** A column type with texts that have hurt somebody's parser before, as the server reads them. */
export interface HostileType {
  readonly type: string;
  readonly values: readonly string[];
}

const of = (type: string, ...values: string[]): HostileType => ({ type, values });

/** Made once per case, in a schema of their own. */
export const hostileTypesSql = `create schema "Ty""pes";
create type "Ty""pes"."Mo od" as enum ('ok', 'sad', 'it''s', 'a,b', 'NULL', '\\N');
create type "Ty""pes".pair as (a int, "b c" text, d numeric(6,2));
create domain "Ty""pes".positive as int check (value > 0);
create domain "Ty""pes".short as varchar(6);`;

/** Every type a column of a generated table may have. */
export const hostileTypes: readonly HostileType[] = [
  of("text", "", "\\N", "\\.", "a\tb\nc\rd\\", 'it\'s "q"', "\u00e9\u{1f600}\u202e", "NULL", " x ", "\\\\", "$1"),
  of("varchar", "\\.", "x\n\\.\ny", ""),
  of("varchar(8)", "12345678", "\u00e9\u00e9\u00e9", "abc  "),
  of("char(5)", "", "ab", "abcde", "\\N"),
  of("char(3)[]", "{ab,abc,NULL}", '{"\\"",""}'),
  of('"char"', "x", "\\"),
  of("name", "a b", "\u00e9"),
  of("smallint", "-32768", "32767"),
  of("integer", "-2147483648", "2147483647", "0"),
  of("bigint", "-9223372036854775808", "9223372036854775807", "9007199254740993"),
  of("numeric", "NaN", "Infinity", "-Infinity", "1.00", "0.0000000000000000000000001", `1${"0".repeat(60)}.5`),
  of("numeric(12,4)", "99999999.9999", "-0.0001", "NaN"),
  of("real", "NaN", "-Infinity", "1e-37", "3.4028235e38", "-0"),
  of("double precision", "NaN", "Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1"),
  of("money", "-92233720368547758.08", "12.34"),
  of("boolean", "t", "f"),
  of("date", "infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "2024-02-29"),
  of("time", "24:00:00", "00:00:00.000001"),
  of("time(2)", "12:00:00.12"),
  of("time with time zone", "12:00:00.000001-15:59"),
  of("timestamp", "infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999"),
  of("timestamp(3)", "2026-01-01 00:00:00.123"),
  of("timestamptz", "infinity", "-infinity", "0001-01-01 00:00:00.000001+00 BC", "2026-03-29 01:30:00.123456+00"),
  of("timestamptz(0)", "2026-01-01 00:00:00+00"),
  of("interval", "178000000 years", "-1 mons +2 days -00:00:00.000001", "24:00:00", "1 day"),
  of("interval(3)", "1.5 sec"),
  of("bytea", "\\x", "\\x00ff5c0a0d09", "\\xdeadbeef"),
  of("json", '{"a" :  1, "a": 2}', "null", '"\\u0041"', "[1.0, 1.00]\n"),
  of("jsonb", "null", '{"b": [1.10, null, "\\u00e9\\"\\\\"]}', '"\\\\N"'),
  of("text[]", "{}", '{"a,b",NULL,"NULL","","\\"","\\\\N"}', '{{"x","y"},{"{}","}"}}', "[0:1]={a,b}"),
  of("integer[]", "{{1,2},{3,NULL}}", "{}"),
  of("numeric(6,2)[]", "{1.10,NaN}"),
  of("timestamptz[]", '{infinity,"2026-01-01 00:00:00.000001+00"}'),
  of("bytea[]", '{"\\\\x00ff",NULL}'),
  of('"Ty""pes"."Mo od"', "ok", "it's", "a,b", "\\N"),
  of('"Ty""pes"."Mo od"[]', '{ok,"a,b","NULL",NULL,"\\\\N"}', "{}"),
  of('"Ty""pes".pair', '(1,"q""u,o",1.50)', "(,,)", '(2,"",NaN)'),
  of('"Ty""pes".pair[]', '{"(1,\\"a b\\",)"}'),
  of('"Ty""pes".positive', "1", "2147483647"),
  of('"Ty""pes".short', "abc   ", "\u00e9"),
  of("int4range", "empty", "[1,5)", "(,)"),
  of("numrange", "(1.10,2.00]"),
  of("tstzrange", '["2026-01-01 00:00:00+00",infinity)'),
  of("int4multirange", "{}", "{[1,3),[5,9)}"),
  of("inet", "10.0.0.1/8", "::1", "fe80::1/64"),
  of("cidr", "10.0.0.0/8", "::/0"),
  of("macaddr", "08:00:2b:01:02:03"),
  of("macaddr8", "08:00:2b:01:02:03:04:05"),
  of("bit(5)", "10101"),
  of("bit(3)[]", "{101,NULL}"),
  of("bit varying", "", "1"),
  of("bit varying(4)", "0110"),
  of("uuid", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
  of("xml", '<a b="c">\n&amp;</a>', "text <!-- c -->"),
  of("tsvector", "'fat':1 'it''s':2A", ""),
  of("tsquery", "'a' & !( 'b' | 'c' )"),
  of("oid", "4294967295", "0"),
  of("pg_lsn", "FFFFFFFF/FFFFFFFF"),
  of("point", "(1.5,-2)", "(NaN,Infinity)"),
  of("box", "(2,2),(1,1)"),
  of("path", "[(0,0),(1,1)]"),
  of("polygon", "((0,0),(1,1),(1,0))"),
  of("circle", "<(0,0),1e-300>"),
  of("jsonpath", '$."a"[*]?(@ > 1)'),
];

/** Names that need quoting, hold quotes of every kind, or mean something elsewhere. */
export const hostileNames = [
  "plain", "Mixed Case", 'quo"te', "it's", "select", "$replant$", "back\\slash", "semi;--", "\u00e9\u00e8", "a.b", "n", "c0", "tab\there", "t", "r", "x%I", "user",
] as const; // prettier-ignore

/** Types of keys, with texts of which some mean the same value. */
export const keyTypes: readonly { readonly type: string; readonly spell: (n: number, other: boolean) => string }[] = [
  { type: "text", spell: (n) => ["\\N", "b'", "C d", "\u00e9", "", "e\t"][n] ?? `k${n}` },
  { type: "integer", spell: (n) => `${n * 7 - 3}` },
  { type: "char(6)", spell: (n) => `k${n}` },
  { type: "numeric", spell: (n, other) => (other ? `${n}.500` : `${n}.5`) },
  { type: "varchar(12)", spell: (n) => `v ${n}` },
  { type: "bigint", spell: (n) => `${9223372036854775807n - BigInt(n)}` },
  { type: "date", spell: (n) => `2026-01-0${n + 1}` },
];
