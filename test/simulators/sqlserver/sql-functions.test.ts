import { describe, expect, it } from 'vitest';
import { failure, holds, printed, value } from './constant-scope.ts';
import { compileAggregate } from './sql/expressions/aggregates.ts';
import type { Scope } from './sql/expressions/scope.ts';
import { parseBatch } from './sql/parse.ts';

const SUPPLEMENTARY = 'Latin1_General_100_CI_AS_SC';

describe('functions', () => {
  it.each<[string, string | null]>([
    ["LEN('ab  ')", '2'],
    ["DATALENGTH(N'ab  ')", '8'],
    ["DATALENGTH('é')", '1'],
    ['DATALENGTH(CAST(1 AS decimal(20,2)))', '13'],
    ["LEFT('abc', 2)", 'ab'],
    ["RIGHT('abc', 2)", 'bc'],
    ["SUBSTRING('abc', 0, 2)", 'a'],
    ["SUBSTRING('abc', 2, 10)", 'bc'],
    ['SUBSTRING(0x010203, 2, 1)', '02'],
    ["STUFF('abcdef', 2, 3, 'X')", 'aXef'],
    ["STUFF('abc', 5, 1, 'X')", null],
    ["REPLACE('aBcabC', 'bc', 'x')", 'axax'],
    ["REPLACE('aBc' COLLATE Latin1_General_BIN2, 'bc', 'x')", 'aBc'],
    ["UPPER('straße é')", 'STRAßE É'],
    ["LTRIM('  a ') + '|' + RTRIM(' a  ')", 'a | a'],
    ["TRIM('xy' FROM 'xyaxy')", 'a'],
    ["CHARINDEX('B', 'abcab')", '2'],
    ["CHARINDEX('b', 'abcab', 3)", '5'],
    ["CHARINDEX('x', 'abc')", '0'],
    ["REPLICATE('ab', 3)", 'ababab'],
    ["CONCAT('a', NULL, 1, N'é')", 'a1é'],
    ["CONCAT_WS(',', 'a', NULL, 'b')", 'a,b'],
    ["'a' + NULL", null],
    ["QUOTENAME('a]b')", '[a]]b]'],
    ["QUOTENAME('it''s', '''')", "'it''s'"],
    ["STRING_ESCAPE('a\"b/c', 'json')", 'a\\"b\\/c'],
    ['CHAR(233) + NCHAR(8364)', 'é€'],
    ['NCHAR(128512)', null],
    ["ASCII('é')", '233'],
    ["UNICODE(N'€')", '8364'],
    ['ABS(-2.5)', '2.5'],
    ['ROUND(2.345, 2)', '2.350'],
    ['ROUND(2.345, 2, 1)', '2.340'],
    ['ROUND(1250, -2)', '1300'],
    ['FLOOR(-2.5)', '-3'],
    ['CEILING(2.1)', '3'],
    ['SIGN(-3)', '-1'],
    ['POWER(2, 10)', '1024'],
    ['ISNULL(NULL, 5)', '5'],
    ["ISNULL(CAST(NULL AS varchar(2)), 'abc')", 'ab'],
    ['COALESCE(NULL, NULL, 3)', '3'],
    ["NULLIF('a', 'A')", null],
    ["IIF(1 > 2, 'x', 'y')", 'y'],
    ["CHOOSE(2, 'a', 'b')", 'b'],
    ["CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", 'b'],
    ['CASE WHEN 1 = 2 THEN 1 END', null],
    ["TRY_CONVERT(int, 'x')", null],
    ["TRY_CAST('5' AS int)", '5'],
    [
      "CONVERT(varchar(64), HASHBYTES('SHA2_256', 'a'), 2)",
      'CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB',
    ],
    ['ISJSON(\'{"a":1}\')', '1'],
    ["ISJSON('nope')", '0'],
    ["JSON_VALUE('{\"a\":[1,2.50]}', '$.a[1]')", '2.50'],
    ["JSON_VALUE('{\"a\":[1]}', '$.a')", null],
    ['JSON_QUERY(\'{"a":[1,{"b":2}]}\', \'$.a\')', '[1,{"b":2}]'],
    ["JSON_MODIFY('{\"a\":1}', '$.a', N'x')", '{"a":"x"}'],
    ["JSON_MODIFY('{\"a\":1}', '$.a', NULL)", '{}'],
    ["CONVERT(varchar(30), SQL_VARIANT_PROPERTY(1.50, 'Scale'))", '2'],
    ["hierarchyid::Parse('/2/5/')", '/2/5/'],
  ])('%s is %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  it.each<[string, string]>([
    ["DATEADD(month, 1, '2020-01-31')", '2020-02-29 00:00:00.000'],
    ["DATEADD(day, -1, CAST('2020-03-01' AS date))", '2020-02-29'],
    ["DATEADD(ms, 2, CAST('2020-01-01' AS datetime))", '2020-01-01 00:00:00.003'],
    ["DATEADD(ns, 150, CAST('2020-01-01' AS datetime2(7)))", '2020-01-01 00:00:00.0000001'],
    ["DATEADD(hour, 25, CAST('10:00' AS time(0)))", '11:00:00'],
    ["DATEDIFF(day, '2020-01-31 23:59', '2020-02-01')", '1'],
    ["DATEDIFF(year, '2019-12-31', '2020-01-01')", '1'],
    ["DATEDIFF(week, '2020-01-04', '2020-01-05')", '1'],
    ["DATEDIFF_BIG(ns, '2020-01-01', '2020-01-02')", '86400000000000'],
    ["DATEPART(iso_week, '2021-01-03')", '53'],
    ["DATEPART(week, '2021-01-03')", '2'],
    ["DATEPART(weekday, '2021-01-03')", '1'],
    ["DATENAME(month, '2021-01-03')", 'January'],
    ["YEAR('2021-02-03') * 100 + MONTH('2021-02-03')", '202102'],
    ["EOMONTH('2020-02-10')", '2020-02-29'],
    ['DATEFROMPARTS(2020, 2, 29)', '2020-02-29'],
    ['SYSUTCDATETIME()', '2020-01-02 03:04:05.6780000'],
    ['GETDATE()', '2020-01-02 03:04:05.677'],
    [
      "SWITCHOFFSET(CAST('2020-01-01T00:00+02:00' AS datetimeoffset(0)), '-01:00')",
      '2019-12-31 21:00:00 -01:00',
    ],
    ["TODATETIMEOFFSET(CAST('2020-01-01' AS datetime2(0)), 90)", '2020-01-01 00:00:00 +01:30'],
    ["CAST('2020-01-01' AS datetime2(0)) AT TIME ZONE 'UTC'", '2020-01-01 00:00:00 +00:00'],
    ["ISDATE('2020-02-30')", '0'],
  ])('of dates: %s is %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  it('count characters beyond the BMP as the collation does', () => {
    expect([value("LEN(N'a😀')"), value("LEN(N'a😀')", SUPPLEMENTARY)]).toEqual([3n, 2n]);
    expect(value("LEFT(N'😀b', 1)", SUPPLEMENTARY)).toBe('😀');
    expect(value('NCHAR(128512)', SUPPLEMENTARY)).toBe('😀');
  });

  it.each([
    ['NOSUCH(1)', "195 'NOSUCH' is not a recognized built-in function name."],
    ['dbo.nosuch(1)', '4121 '],
    ['LEN(1, 2)', '174 The len function requires 1 argument(s).'],
    ['ROUND(1)', '189 The round function requires 2 to 3 arguments.'],
    ["LEFT('a', -1)", '536 '],
    ["DATEADD(hour, 1, CAST('2020-01-01' AS date))", '9810 '],
    [
      "DATEADD(year, 9000, CAST('2020-01-01' AS datetime2))",
      "517 Adding a value to a 'datetime2' column caused an overflow.",
    ],
    ["DATEDIFF(ms, '1900-01-01', '2020-01-01')", '535 '],
    ['DATEFROMPARTS(2021, 2, 29)', '289 '],
    ["JSON_VALUE('{', '$.a')", '13609 '],
    ["JSON_VALUE('{}', 'strict $.a')", '13608 '],
    ["JSON_VALUE('{}', 'a')", '13607 '],
    ['COALESCE(NULL, NULL)', '4127 '],
    ['CASE WHEN 1 = 1 THEN NULL END', '8133 '],
    ['SQRT(-1)', '3623 '],
    ['POWER(10, 10)', '8115 '],
    ['1 COLLATE Latin1_General_BIN2', '447 '],
    ["'a' COLLATE Klingon_CI_AS", "448 Invalid collation 'Klingon_CI_AS'."],
    ["'a' COLLATE Latin1_General_BIN2 + 'b' COLLATE Latin1_General_CI_AS", '468 '],
  ])('%s fails with %s', (text, expected) => {
    expect(failure(text).slice(0, expected.length)).toBe(expected);
  });
});

describe('conditions', () => {
  it.each<[string, boolean | null]>([
    ["'a' = 'A '", true],
    ["'a' = 'á'", false],
    ["'a' = 'á' COLLATE Latin1_General_CI_AI", true],
    ["'a' = 'A' COLLATE Latin1_General_CS_AS", false],
    ["'a' = 'A' COLLATE Latin1_General_100_BIN2", false],
    ["'a' = 'a  ' COLLATE Latin1_General_100_BIN2", true],
    ["N'straße' = N'STRASSE' COLLATE Latin1_General_100_CI_AS", true],
    ["'straße' = 'STRASSE'", false],
    ["N'ｶ' = N'か' COLLATE Japanese_CI_AS", true],
    ["N'ｶ' = N'か' COLLATE Japanese_CI_AS_KS_WS", false],
    ["N'I' = N'ı' COLLATE Turkish_CI_AS", true],
    ["N'I' = N'i' COLLATE Turkish_CI_AS", false],
    ["'B' < 'a' COLLATE Latin1_General_100_BIN2", true],
    ["'B' < 'a'", false],
    ["'a' < 'B'", true],
    ["N'é' > 'e'", true],
    ['1 = 1.0', true],
    ["'1' = 1", true],
    ['0x01 = 0x0100', true],
    ['NULL = NULL', null],
    ['NOT (NULL = 1)', null],
    ['1 = 1 OR NULL = 1', true],
    ['1 = 2 AND NULL = 1', false],
    ['3 IN (1, NULL)', null],
    ['3 NOT IN (1, 2)', true],
    ['2 BETWEEN 1 AND 3', true],
    ['NULL IS NULL', true],
    ["'abc' LIKE 'A_C'", true],
    ["'a%c' LIKE 'a!%c' ESCAPE '!'", true],
    ["'axc' LIKE 'a!%c' ESCAPE '!'", false],
    ["'b' LIKE '[a-c]'", true],
    ["'d' LIKE '[^a-c]'", true],
    ["'a\nb' LIKE 'a%b'", true],
    ["'abc' LIKE 'A%' COLLATE Latin1_General_BIN2", false],
    ["NULL LIKE 'a'", null],
    ["CAST('2020-01-01' AS date) = '2020-01-01'", true],
    ["CAST('2020-01-01T01:00+01:00' AS datetimeoffset) = CAST('2020-01-01T00:00Z' AS datetimeoffset)", true],
    [
      "CAST('01000000-0000-0000-0000-000000000002' AS uniqueidentifier) > CAST('02000000-0000-0000-0000-000000000001' AS uniqueidentifier)",
      true,
    ],
    ["CAST('/1/2/' AS hierarchyid) < CAST('/1/10/' AS hierarchyid)", true],
  ])('%s is %s', (text, expected) => {
    expect(holds(text)).toBe(expected);
  });

  it('refuse operands that cannot be compared', () => {
    expect(() => holds("CAST('a' AS text) = 'a'")).toThrow(
      'The data types text and varchar are incompatible in the equal to operator.',
    );
    expect(() => holds('NEWID() = 1')).toThrow(
      'Operand type clash: uniqueidentifier is incompatible with int',
    );
  });
});

describe('aggregates', () => {
  /** The aggregate over constants, which stand for the rows of a group. */
  function over(text: string, rows: readonly string[]): unknown {
    const [statement] = parseBatch(`SELECT ${text}`);
    if (statement?.kind !== 'select' || statement.query.body.kind !== 'specification') throw new Error(text);
    const [item] = statement.query.body.items;
    if (item?.kind !== 'expression' || item.expression.kind !== 'function') throw new Error(text);
    const values = rows.map((row) => value(row));
    const scope = {
      session: { collation: 'Latin1_General_CI_AS', dateFormat: 'mdy', dateFirst: 7, now: () => 0 },
    };
    const typed = (parts: readonly string[]) => ({
      type: parts[0] === 's' ? { kind: 'varchar', length: 9 } : { kind: 'decimal', precision: 5, scale: 2 },
      nullable: true,
      evaluate: (at: number) => values[at] ?? null,
    });
    const compiled = compileAggregate(item.expression, {
      ...scope,
      column: typed,
      call: () => undefined,
    } as unknown as Scope<number>);
    const accumulator = compiled.start();
    for (const at of rows.keys()) accumulator.add(compiled.argument ? compiled.argument.evaluate(at) : 1n);
    return accumulator.result();
  }

  it('skip NULL, and know when nothing is left', () => {
    expect(over('COUNT(*)', ['1', 'NULL'])).toBe(2n);
    expect(over('COUNT(d)', ['1.00', 'NULL'])).toBe(1n);
    expect(over('SUM(d)', [])).toBeNull();
    expect(over('SUM(d)', ['1.25', '2.50', 'NULL'])).toBe(375n);
    expect(over('AVG(d)', ['1.00', '2.00', '2.00'])).toBe(1_666_666n);
    expect(over('MAX(s)', ["'a'", "'B'", 'NULL'])).toBe('B');
    expect(over('COUNT(DISTINCT s)', ["'a'", "'A '", "'b'"])).toBe(2n);
    expect(over("STRING_AGG(s, ', ')", ["'a'", 'NULL', "'b'"])).toBe('a, b');
  });
});
