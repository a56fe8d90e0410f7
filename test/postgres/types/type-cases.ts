/** Every type of PostgreSQL with generated values, and what a model may make of it. */
import type fc from 'fast-check';
import * as texts from './generated-texts.ts';

/** `all` values have a place in such a property, or only `some`; the others are refused by a data error. */
type Reach = 'all' | 'some';
export type Alternative = { readonly property: string; readonly reach: Reach };
/** How two values are compared: by the type's own notion, or by text where it has none or a coarser one. */
type Equality = 'value' | 'text' | 'jsonb';

export type GeneratedCase = {
  readonly name: string;
  readonly type: string;
  readonly inputs: fc.Arbitrary<string>;
  readonly alternatives: readonly Alternative[];
  readonly equality: Equality;
};

export const SETUP = `
  CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
  CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy "quoted"', 'a,b{}');
  CREATE DOMAIN positive AS int CHECK (VALUE >= 0);
  CREATE DOMAIN short AS varchar(5);
  CREATE DOMAIN shorter AS short CHECK (length(VALUE) < 4);
  CREATE DOMAIN tags AS text[];
  CREATE DOMAIN temper AS mood;
  CREATE TYPE place AS (street text, "No" int, since timestamptz);
  CREATE TYPE site AS (label text, at place, codes int[]);
  CREATE TYPE "Odd (1)" AS ("a b" numeric(10,2), flag bool);
  CREATE TYPE textrange AS RANGE (subtype = text);
  CREATE SCHEMA other; CREATE TYPE other."Kind" AS ENUM ('x', 'y')`;

function of(
  name: string,
  type: string,
  inputs: fc.Arbitrary<string>,
  all: string,
  some = '',
  equality: Equality = 'value',
): GeneratedCase {
  const listed = (text: string, reach: Reach): Alternative[] =>
    text.split(' ').flatMap((property) => (property === '' ? [] : [{ property, reach }]));
  // Tables share their names with types otherwise.
  return {
    name: `of_${name}`,
    type,
    inputs,
    alternatives: [...listed(all, 'all'), ...listed(some, 'some')],
    equality,
  };
}

const mood = texts.bool.map((value) => (value === 't' ? 'so so' : 'happy "quoted"'));
const small = texts.whole(16).map(Number);
const place = texts.record(texts.text, texts.whole(32), texts.instant);

export const NUMBERS: readonly GeneratedCase[] = [
  of('smallint', 'smallint', texts.whole(16), 'int string decimal128 double mixed float', 'bool'),
  of('integer', 'integer', texts.whole(32), 'int string decimal128 double mixed Dog', 'bool float'),
  of('bigint', 'bigint', texts.whole(64), 'int string decimal128 mixed', 'bool double float'),
  of('numeric', 'numeric', texts.numeric, 'string', 'decimal128 mixed double float int'),
  of('numeric_10_2', 'numeric(10,2)', texts.cents, 'decimal128 string double mixed', 'int float'),
  of('numeric_38_0', 'numeric(38,0)', texts.unsigned(120), 'string', 'decimal128 mixed int double'),
  of('real', 'real', texts.float, 'float double decimal128 string mixed', 'int'),
  of('double_precision', 'double precision', texts.double, 'double decimal128 string mixed', 'float int'),
  of('money', 'money', texts.money, 'decimal128 string mixed', 'double'),
  of('bool', 'boolean', texts.bool, 'bool string mixed'),
  of('oid', 'oid', texts.unsigned(32), 'int string decimal128 mixed'),
  of('xid', 'xid', texts.unsigned(32), 'int string mixed', '', 'text'),
  of('xid8', 'xid8', texts.unsigned(64), 'string decimal128 mixed', 'int', 'text'),
  of('cid', 'cid', texts.unsigned(32), 'int string', '', 'text'),
  of('bit_1', 'bit(1)', texts.bits(1, 1), 'bool string'),
];

export const TEXTS: readonly GeneratedCase[] = [
  of('text', 'text', texts.text, 'string mixed'),
  of('digits', 'text', texts.whole(64), 'int string decimal128', 'double'),
  of('ids', 'text', texts.uuid, 'uuid string Tag'),
  of('varchar_5', 'varchar(5)', texts.ascii, 'string mixed'),
  of('varchar', 'varchar', texts.text, 'string'),
  of('char_5', 'char(5)', texts.ascii, 'string mixed'),
  of(
    'one_char',
    '"char"',
    texts.ascii.map((value) => value.slice(0, 1)),
    'string mixed',
    '',
    'text',
  ),
  of('citext', 'citext', texts.text, 'string mixed', '', 'text'),
  of('name', 'name', texts.ascii, 'string mixed'),
  of('bytea', 'bytea', texts.bytes, 'data string mixed', 'objectId'),
  of('uuid', 'uuid', texts.uuid, 'uuid string mixed Tag'),
  of('bit_5', 'bit(5)', texts.bits(5, 5), 'string mixed'),
  of('varbit', 'varbit', texts.bits(0, 40), 'string mixed'),
  of(
    'xml',
    'xml',
    texts.label.map((word) => `<${word} a="1">x &amp; y</${word}>`),
    'string mixed',
    '',
    'text',
  ),
  of('inet', 'inet', texts.inet, 'string mixed', '', 'text'),
  of('inet6', 'inet', texts.inet6, 'string mixed', '', 'text'),
  of('cidr', 'cidr', texts.cidr, 'string mixed', '', 'text'),
  of('macaddr', 'macaddr', texts.macaddr, 'string mixed'),
  of('macaddr8', 'macaddr8', texts.macaddr8, 'string mixed'),
  of('mood', 'mood', mood, 'string mixed'),
  of(
    'kind',
    'other."Kind"',
    texts.bool.map((value) => (value === 't' ? 'x' : 'y')),
    'string mixed',
  ),
  of('positive', 'positive', texts.unsigned(31), 'int string mixed'),
  of('short', 'short', texts.ascii, 'string mixed'),
  of(
    'shorter',
    'shorter',
    texts.ascii.map((value) => value.slice(0, 3)),
    'string mixed',
  ),
  of('temper', 'temper', mood, 'string mixed', '', 'text'),
  of('tsvector', 'tsvector', texts.lexemes, 'string mixed'),
  of('tsquery', 'tsquery', texts.tsquery, 'string mixed'),
  of('ltree', 'ltree', texts.ltree, 'string mixed'),
  of(
    'jsonpath',
    'jsonpath',
    texts.label.map((word) => `$.${word}[*] ? (@ > 1)`),
    'string mixed',
    '',
    'text',
  ),
  of('pg_lsn', 'pg_lsn', texts.lsn, 'string mixed'),
  of(
    'regclass',
    'regclass',
    texts.bool.map((value) => (value === 't' ? 'pg_class' : 'pg_type')),
    'string mixed',
  ),
  of(
    'regtype',
    'regtype',
    texts.bool.map((value) => (value === 't' ? 'integer' : 'place')),
    'string mixed',
  ),
  of(
    'regproc',
    'regproc',
    texts.bool.map((value) => (value === 't' ? 'now' : 'pg_backend_pid')),
    'string',
  ),
  of(
    'pg_snapshot',
    'pg_snapshot',
    texts.unsigned(20).map((value) => `${Number(value) + 1}:${Number(value) + 6}:${Number(value) + 3}`),
    'string',
    '',
    'text',
  ),
  of(
    'tid',
    'tid',
    texts.unsigned(16).map((value) => `(${value},1)`),
    'string',
  ),
  of(
    'int2vector',
    'int2vector',
    texts.whole(16).map((value) => `${value} 1 2`),
    'string',
    '',
    'text',
  ),
  of('point', 'point', texts.point, 'string mixed', '', 'text'),
  of('line', 'line', texts.line, 'string', '', 'text'),
  of('lseg', 'lseg', texts.lseg, 'string', '', 'text'),
  of('box', 'box', texts.box, 'string mixed', '', 'text'),
  of('path', 'path', texts.path, 'string', '', 'text'),
  of('polygon', 'polygon', texts.polygon, 'string', '', 'text'),
  of('circle', 'circle', texts.circle, 'string', '', 'text'),
];

export const DATES: readonly GeneratedCase[] = [
  of('date', 'date', texts.day(5_874_000), 'date string mixed'),
  of('time', 'time', texts.time, 'string mixed'),
  of('time_3', 'time(3)', texts.time, 'string'),
  of('timetz', 'timetz', texts.timetz, 'string mixed'),
  of('timestamp', 'timestamp', texts.instant, 'string', 'date mixed'),
  of('timestamptz', 'timestamptz', texts.instant, 'string', 'date mixed'),
  of('timestamptz_0', 'timestamptz(0)', texts.instant, 'string', 'date'),
  of('interval', 'interval', texts.interval, 'string mixed', '', 'text'),
  of('interval_months', 'interval year to month', texts.interval, 'string', '', 'text'),
];

export const DOCUMENTS: readonly GeneratedCase[] = [
  of('json', 'json', texts.json, 'string', 'mixed mixed[] mixed{} string[]', 'jsonb'),
  of('jsonb', 'jsonb', texts.json, '', 'string mixed mixed[] mixed{} string[] bool<> mixed{}!'),
  of('wrapped', 'jsonb', texts.wrappedJson, 'string mixed', 'mixed{}'),
  of(
    'int_lists',
    'jsonb',
    texts.arrayOf(texts.whole(64)).map(asJson),
    'string',
    'int[] int[]! decimal128[] mixed Dog[] int<>',
  ),
  of(
    'text_documents',
    'text',
    texts.arrayOf(texts.uuid).map((value) => JSON.stringify(value.match(/[0-9a-f-]{36}/g) ?? [])),
    'string uuid[] string[] uuid[]! Tag[]',
    '',
    'jsonb',
  ),
  of('hstore', 'hstore', texts.hstore, 'string{} string mixed', 'string{}! mixed{}'),
  of('place', 'place', place, 'string', 'Place mixed mixed{}'),
  of('site', 'site', texts.record(texts.text, place, texts.arrayOf(texts.whole(32))), 'string', 'Site mixed'),
  of('odd', '"Odd (1)"', texts.record(texts.cents, texts.bool), 'string mixed mixed{}'),
  of('int4range', 'int4range', texts.range(small, String), 'string Span mixed mixed{}'),
  of('int8range', 'int8range', texts.range(small, String), 'string Span mixed'),
  of(
    'numrange',
    'numrange',
    texts.range(small, (value) => (value / 100).toFixed(2)),
    'string mixed',
  ),
  of('daterange', 'daterange', texts.range(small, asDay), 'string mixed'),
  of(
    'tsrange',
    'tsrange',
    texts.range(small, (value) => `${asDay(value)} 12:00:00.5`),
    'string mixed',
  ),
  of(
    'tstzrange',
    'tstzrange',
    texts.range(small, (value) => `${asDay(value)} 12:00:00+00`),
    'string mixed',
  ),
  of(
    'textrange',
    'textrange',
    texts.range(small, (value) => `""\\\\${String(value + 40_000).padStart(6, '0')}`),
    'string mixed',
  ),
  of(
    'multirange',
    'int4multirange',
    texts.range(small, String).map((value) => (value === 'empty' ? '{}' : `{${value}}`)),
    'string mixed',
  ),
];

function asDay(value: number): string {
  return new Date(value * 86_400_000).toISOString().slice(0, 10);
}

function asJson(array: string): string {
  return `[${(array.match(/-?\d+(?=")|NULL/g) ?? []).join(', ').replaceAll('NULL', 'null')}]`;
}

/** As an element, the document null is not told from NULL. */
const notNull = texts.json.filter((document) => document !== 'null');

export const ARRAYS: readonly GeneratedCase[] = [
  of(
    'int4s',
    'int[]',
    texts.arrayOf(texts.whole(32)),
    'string',
    'int[] int[]! mixed mixed[] int<> double[] Dog[]',
    'text',
  ),
  of('grid', 'int[][]', texts.arrayOf(texts.whole(32)), 'string', 'mixed', 'text'),
  of('int8s', 'bigint[]', texts.arrayOf(texts.whole(64)), 'string', 'int[] mixed string[]', 'text'),
  of('texts', 'text[]', texts.arrayOf(texts.text), 'string', 'string[] mixed string<>', 'text'),
  of('varchars', 'varchar(5)[]', texts.arrayOf(texts.ascii), 'string', 'string[] mixed', 'text'),
  of('chars', 'char(5)[]', texts.arrayOf(texts.ascii), 'string', 'string[] mixed', 'value'),
  of('bits_3', 'bit(3)[]', texts.arrayOf(texts.bits(3, 3)), 'string', 'string[]', 'text'),
  of('uuids', 'uuid[]', texts.arrayOf(texts.uuid), 'string', 'uuid[] uuid<> Tag[] string[]', 'text'),
  of('instants', 'timestamptz[]', texts.arrayOf(texts.instant), 'string', 'date[] mixed', 'text'),
  of('byteas', 'bytea[]', texts.arrayOf(texts.bytes), 'string', 'data[] mixed', 'text'),
  of('numerics', 'numeric[]', texts.arrayOf(texts.numeric), 'string', 'decimal128[] mixed double[]', 'value'),
  of('doubles', 'float8[]', texts.arrayOf(texts.double), 'string', 'double[] mixed', 'text'),
  of('floats', 'float4[]', texts.arrayOf(texts.float), 'string', 'float[] mixed', 'text'),
  of('bools', 'bool[]', texts.arrayOf(texts.bool), 'string', 'bool[] bool<> mixed', 'text'),
  of('moneys', 'money[]', texts.arrayOf(texts.money), 'string', 'decimal128[] mixed', 'text'),
  of('boxes', 'box[]', texts.arrayOf(texts.box, ';'), 'string', 'string[] mixed', 'text'),
  of('point_list', 'point[]', texts.arrayOf(texts.point), 'string', 'string[]', 'text'),
  of('moods', 'mood[]', texts.arrayOf(mood), 'string', 'string[] string<> mixed', 'text'),
  of('domains', 'short[]', texts.arrayOf(texts.ascii), 'string', 'string[]', 'text'),
  of('tags', 'tags', texts.arrayOf(texts.text), 'string', 'string[] mixed', 'text'),
  of('places', 'place[]', texts.arrayOf(place), 'string', 'Place[] mixed string[]', 'text'),
  of(
    'ranges',
    'int4range[]',
    texts.arrayOf(texts.range(small, String)),
    'string',
    'Span[] string[] mixed',
    'text',
  ),
  of('hstores', 'hstore[]', texts.arrayOf(texts.hstore), 'string', 'string[] mixed', 'value'),
  of('jsonbs', 'jsonb[]', texts.arrayOf(notNull), '', 'string string[] mixed[]', 'value'),
  of('jsons', 'json[]', texts.arrayOf(texts.json), 'string', 'string[]', 'text'),
  of('xmls', 'xml[]', texts.arrayOf(texts.label.map((word) => `<${word}/>`)), 'string', 'string[]', 'text'),
  of('intervals', 'interval[]', texts.arrayOf(texts.interval), 'string', 'string[]', 'text'),
];
