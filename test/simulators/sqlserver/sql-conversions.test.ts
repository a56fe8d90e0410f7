import { describe, expect, it } from 'vitest';
import { COLLATION, compiled, failure, printed, value } from './constant-scope.ts';
import { SqlFailure, type SqlType } from './contract.ts';
import { assignDatum } from './sql/types/assign.ts';
import { convertDatum } from './sql/types/convert.ts';
import { typeText } from './sql/types/type-names.ts';

const SEED = Number(process.env.ISTHMUS_TEST_SEED ?? Date.now() % 1_000_000);
const CONTEXT = { collation: COLLATION, dateFormat: 'mdy' } as const;

/** A small generator that a seed repeats. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('text of each type', () => {
  it.each([
    ['CAST(1 AS bit)', '1'],
    ['-5', '-5'],
    ['CAST(-0.5 AS decimal(5,2))', '-0.50'],
    ['CONVERT(varchar(30), CAST(1234567.8951 AS money))', '1234567.90'],
    ['CONVERT(varchar(30), CAST(1234567.8951 AS money), 1)', '1,234,567.90'],
    ['CONVERT(varchar(30), CAST(1234567.8951 AS money), 2)', '1234567.8951'],
    ['CONVERT(varchar(40), 0.1e0)', '0.1'],
    ['CONVERT(varchar(40), 1234567e0)', '1.23457e+006'],
    ['CONVERT(varchar(40), 0.00001e0)', '1e-005'],
    ['CONVERT(varchar(40), 123456e0)', '123456'],
    ['CONVERT(varchar(40), 0.1e0, 1)', '1.0000000e-001'],
    ['CONVERT(varchar(40), 0.1e0, 2)', '1.000000000000000e-001'],
    ['CONVERT(varchar(40), 0.1e0, 3)', '1.0000000000000001e-001'],
    [
      "CONVERT(varchar(40), CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier))",
      '6F9619FF-8B86-D011-B42D-00C04FC964FF',
    ],
    ["CONVERT(varchar(40), CAST('2020-03-04' AS date))", '2020-03-04'],
    ["CONVERT(varchar(40), CAST('13:14:15.12' AS time(3)))", '13:14:15.120'],
    ["CONVERT(varchar(40), CAST('2020-03-04T13:14:15' AS datetime))", 'Mar  4 2020  1:14PM'],
    ["CONVERT(varchar(40), CAST('2020-03-04T13:14:15' AS datetime2(2)))", '2020-03-04 13:14:15.00'],
    [
      "CONVERT(varchar(40), CAST('2020-03-04T13:14:15+01:00' AS datetimeoffset(0)))",
      '2020-03-04 13:14:15 +01:00',
    ],
    ['CONVERT(varchar(20), 0x48C3, 2)', '48C3'],
    ['CONVERT(varchar(20), 0x48C3, 1)', '0x48C3'],
    ['CONVERT(varchar(20), 0x48E9)', 'Hé'],
    ['CONVERT(nvarchar(20), 0x4800E900)', 'Hé'],
    ["CAST('ab' AS char(4))", 'ab  '],
    ["CAST('abcdef' AS varchar(3))", 'abc'],
    ['CAST(12345 AS varchar(3))', '*'],
    ["CONVERT(nvarchar(max), CAST('<a  x=''1''><b></b></a>' AS xml))", '<a x="1"><b/></a>'],
    ["CAST('/1/16/' AS hierarchyid)", '/1/16/'],
  ])('%s is %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  it.each<[number, string]>([
    [0, 'Mar  4 2020  1:14PM'],
    [1, '03/04/20'],
    [20, '2020-03-04 13:14:15'],
    [21, '2020-03-04 13:14:15.123'],
    [23, '2020-03-04'],
    [25, '2020-03-04 13:14:15.123'],
    [101, '03/04/2020'],
    [102, '2020.03.04'],
    [103, '04/03/2020'],
    [104, '04.03.2020'],
    [105, '04-03-2020'],
    [106, '04 Mar 2020'],
    [107, 'Mar 04, 2020'],
    [108, '13:14:15'],
    [109, 'Mar  4 2020  1:14:15:123PM'],
    [110, '03-04-2020'],
    [111, '2020/03/04'],
    [112, '20200304'],
    [113, '04 Mar 2020 13:14:15:123'],
    [114, '13:14:15:123'],
    [120, '2020-03-04 13:14:15'],
    [121, '2020-03-04 13:14:15.123'],
    [126, '2020-03-04T13:14:15.123'],
    [127, '2020-03-04T13:14:15.123'],
  ])('of a datetime in style %i is %s', (style, expected) => {
    expect(value(`CONVERT(varchar(40), CAST('2020-03-04T13:14:15.123' AS datetime), ${style})`)).toBe(
      expected,
    );
  });

  it('leaves a fraction of zero out of style 126, and shows UTC in style 127', () => {
    expect(value("CONVERT(varchar(40), CAST('2020-03-04T13:14:15' AS datetime), 126)")).toBe(
      '2020-03-04T13:14:15',
    );
    const moment = "CAST('2020-03-04T00:30:00.5+01:00' AS datetimeoffset(2))";
    expect(value(`CONVERT(varchar(40), ${moment}, 126)`)).toBe('2020-03-04T00:30:00.50+01:00');
    expect(value(`CONVERT(varchar(40), ${moment}, 127)`)).toBe('2020-03-03T23:30:00.50Z');
  });
});

describe('dates and times', () => {
  it.each([
    ["CAST('2020-01-01 00:00:00.001' AS datetime)", '2020-01-01 00:00:00.000'],
    ["CAST('2020-01-01 00:00:00.002' AS datetime)", '2020-01-01 00:00:00.003'],
    ["CAST('2020-01-01 00:00:00.005' AS datetime)", '2020-01-01 00:00:00.007'],
    ["CAST('2020-01-01 23:59:59.999' AS datetime)", '2020-01-02 00:00:00.000'],
    ["CAST('2020-01-01 10:00:29.998' AS smalldatetime)", '2020-01-01 10:00:00.000'],
    ["CAST('2020-01-01 10:00:29.999' AS smalldatetime)", '2020-01-01 10:01:00.000'],
    ["CAST('2020-01-01 10:00:00.1234567' AS datetime2(3))", '2020-01-01 10:00:00.123'],
    ["CAST('2020-01-01 23:59:59.9999999' AS datetime2(3))", '2020-01-02 00:00:00.000'],
    ["CAST('9999-12-31 23:59:59.9999999' AS datetime2(3))", '9999-12-31 23:59:59.999'],
    ["CAST(CAST('2020-01-01 00:00:00.003' AS datetime) AS datetime2(7))", '2020-01-01 00:00:00.0033333'],
    ["CAST('' AS datetime)", '1900-01-01 00:00:00.000'],
    ["CAST('20200304' AS date)", '2020-03-04'],
    ["CAST('3/4/2020' AS date)", '2020-03-04'],
    ["CONVERT(date, '3/4/2020', 103)", '2020-04-03'],
    ["CONVERT(date, '4.3.20', 4)", '2020-03-04'],
    ["CAST('Mar 4, 2020' AS date)", '2020-03-04'],
    ["CAST('4 march 2020 1:05 pm' AS datetime)", '2020-03-04 13:05:00.000'],
    ["CAST('2020-03-04T10:11:12Z' AS datetime)", '2020-03-04 10:11:12.000'],
    ["CAST('2020-03-04T10:11:12+02:00' AS datetime2(0))", '2020-03-04 10:11:12'],
    ["CAST('10:11' AS datetime)", '1900-01-01 10:11:00.000'],
    ['CAST(1.5 AS datetime)', '1900-01-02 12:00:00.000'],
    ["CAST(CAST('2020-01-01T00:00:00+05:00' AS datetimeoffset) AS datetime2(0))", '2020-01-01 00:00:00'],
  ])('%s is %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  it.each([
    ["CAST('x' AS datetime)", 241],
    ["CAST('2020-02-30' AS datetime)", 242],
    ["CAST('2020-02-30' AS datetime2)", 241],
    ["CAST('1752-12-31' AS datetime)", 242],
    ["CAST('x' AS smalldatetime)", 295],
    ["CAST('2080-01-01' AS smalldatetime)", 242],
    ["CAST('2020-01-01 00:00:00.1234' AS datetime)", 241],
    ["CAST('2020-01-01T00:00:00+01:00' AS datetime)", 241],
    ["CAST('25:00' AS time)", 241],
    ['CAST(1 AS date)', 529],
    ["CAST(CAST('10:00' AS time) AS date)", 529],
    ["CONVERT(varchar(9), CAST('2020-01-01' AS date), 108)", 281],
    ['CONVERT(varchar(9), GETDATE(), 99)', 281],
  ])('%s fails with %i', (text, number) => {
    expect(failure(text)).toMatch(new RegExp(`^${number} `));
  });

  it(`in text come back exactly from every scale (seed ${SEED})`, () => {
    const random = generator(SEED);
    for (let i = 0; i < 300; i++) {
      const scale = Math.floor(random() * 8);
      const unit = 10n ** BigInt(7 - scale);
      const ticks = (BigInt(Math.floor(random() * 864_000_000_000)) / unit) * unit;
      const days = 1 + Math.floor(random() * 3_652_000);
      const offset = Math.floor(random() * 1681) - 840;
      const cases: readonly [SqlType, { days: number; ticks: bigint; offset?: number }][] = [
        [
          { kind: 'datetime2', scale },
          { days, ticks },
        ],
        [
          { kind: 'datetimeoffset', scale },
          { days, ticks, offset },
        ],
      ];
      for (const [type, moment] of cases) {
        const text: SqlType = { kind: 'varchar', length: 50 };
        const written = convertDatum(moment as never, type, text, { ...CONTEXT, style: 121 });
        expect(convertDatum(written, text, type, CONTEXT), `${written}`).toEqual(moment);
      }
    }
  });
});

describe('numbers', () => {
  it.each([
    ['CAST(2.99 AS int)', '2'],
    ['CAST(-2.99 AS int)', '-2'],
    ['CAST(2.5e0 AS int)', '2'],
    ['CAST($2.5 AS int)', '3'],
    ['CAST(1.005 AS decimal(5,2))', '1.01'],
    ['CAST(-1.005 AS decimal(5,2))', '-1.01'],
    ["CAST('  12 ' AS int)", '12'],
    ["CAST('' AS int)", '0'],
    ["CAST('$1,234.5' AS money)", '1234.5000'],
    ["CAST('1e3' AS float)", '1000'],
    ["CAST('true' AS bit)", '1'],
    ["CAST('7' AS bit)", '1'],
    [
      "CAST('123456789012345678901234567890.12345678' AS decimal(38,8))",
      '123456789012345678901234567890.12345678',
    ],
    ['CAST(0x7F AS int)', '127'],
    ['CAST(258 AS varbinary(2))', '0102'],
    ['CAST(CAST(1 AS bigint) AS binary(9))', '000000000000000001'],
    ['2.0 / 3', '0.666666'],
    ['10 / 4', '2'],
    ['10 / 4.0', '2.500000'],
    ['-7 % 3', '-1'],
    ['CAST(1 AS decimal(38,10)) * CAST(1 AS decimal(38,10))', '1.000000'],
    ['$10 / 3', '3.3333'],
    ["'5' + 3", '8'],
  ])('%s is %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  it.each([
    ['1 + 1.5', 'decimal(3,1)'],
    ['CAST(1 AS decimal(10,2)) * CAST(1 AS decimal(10,2))', 'decimal(21,4)'],
    ['CAST(1 AS decimal(10,2)) / CAST(1 AS decimal(10,2))', 'decimal(23,13)'],
    ['CAST(1 AS decimal(38,20)) / CAST(1 AS decimal(38,20))', 'decimal(38,6)'],
    ['CAST(1 AS decimal(38,2)) + CAST(1 AS decimal(38,2))', 'decimal(38,2)'],
    ['CAST(1 AS int) + CAST(1 AS decimal(5,2))', 'decimal(13,2)'],
    ['CAST(1 AS tinyint) + CAST(1 AS smallint)', 'smallint'],
    ['1 + 1e0', 'float'],
    ['$1 + 1', 'money'],
    ["'a' + N'b'", 'nvarchar(2)'],
    ['CAST(1 AS bit) & 1', 'int'],
    ['GETDATE() + 1', 'datetime'],
    ['COALESCE(NULL, CAST(1 AS smallint), 2.50)', 'decimal(7,2)'],
    ["ISNULL(CAST(NULL AS varchar(2)), 'abc')", 'varchar(2)'],
    ["CASE WHEN 1 = 1 THEN 'a' ELSE N'bcd' END", 'nvarchar(3)'],
    ['CAST(1 AS float)', 'float'],
    ['CAST(1 AS float(24))', 'real'],
    ["CAST('a' AS varchar)", 'varchar(30)'],
    ['2147483648', 'decimal(10,0)'],
  ])('%s has the type %s', (text, expected) => {
    expect(typeText(compiled(text).type)).toBe(expected);
  });

  it.each([
    ["CAST('abc' AS int)", "245 Conversion failed when converting the varchar value 'abc' to data type int."],
    [
      "CAST(N'1.5' AS smallint)",
      "245 Conversion failed when converting the nvarchar value '1.5' to data type smallint.",
    ],
    ["CAST('abc' AS bigint)", '8114 Error converting data type varchar to bigint.'],
    ["CAST('' AS decimal(5,2))", '8114 Error converting data type varchar to numeric.'],
    ["CAST('x' AS float)", '8114 Error converting data type varchar to float.'],
    ["CAST('x' AS money)", '235 '],
    ["CAST('x' AS uniqueidentifier)", '8169 '],
    [
      "CAST('99999999999' AS int)",
      "248 The conversion of the varchar value '99999999999' overflowed an int column.",
    ],
    ["CAST('300' AS tinyint)", '244 '],
    ['CAST(300 AS tinyint)', '220 Arithmetic overflow error for data type tinyint, value = 300.'],
    ['CAST(3e9 AS int)', '232 Arithmetic overflow error for type int, value = 3000000000.000000.'],
    ['CAST(3000000000 AS int)', '8115 Arithmetic overflow error converting numeric to data type int.'],
    [
      'CAST(CAST(3000000000 AS bigint) AS int)',
      '8115 Arithmetic overflow error converting expression to data type int.',
    ],
    ['CAST(100 AS decimal(4,2))', '8115 Arithmetic overflow error converting int to data type numeric.'],
    ['CAST(12345 AS nvarchar(3))', '8115 '],
    ['CAST(1.5 AS varchar(2))', '8115 Arithmetic overflow error converting numeric to data type varchar.'],
    ['CAST($12345 AS varchar(2))', '234 '],
    ['CAST(NEWID() AS varchar(20))', '8170 '],
    ['2147483647 + 1', '8115 Arithmetic overflow error converting expression to data type int.'],
    ['1 / 0', '8134 Divide by zero error encountered.'],
    ["CAST('2020-01-01' AS date) + 1", '206 Operand type clash: int is incompatible with date'],
    ["CAST('2020-01-01' AS date) + CAST('2020-01-01' AS date)", '402 '],
    ["'a' - 'b'", '8117 Operand data type varchar is invalid for subtract operator.'],
    ["'x' + $1 + GETDATE()", '235 '],
    ['CAST(1 AS nosuchtype)', '2715 '],
    ['CAST(1 AS decimal(39))', '2750 '],
    ['CAST(1 AS varchar(9000))', '131 '],
    [
      'CAST(NEWID() AS int)',
      '529 Explicit conversion from data type uniqueidentifier to int is not allowed.',
    ],
  ])('%s fails with %s', (text, expected) => {
    expect(failure(text).slice(0, expected.length)).toBe(expected);
  });

  it(`in text come back exactly (seed ${SEED})`, () => {
    const random = generator(SEED);
    const text: SqlType = { kind: 'varchar', length: 60 };
    for (let i = 0; i < 500; i++) {
      const precision = 1 + Math.floor(random() * 38);
      const scale = Math.floor(random() * (precision + 1));
      let units = 0n;
      for (let digit = 0; digit < precision; digit++) units = units * 10n + BigInt(Math.floor(random() * 10));
      if (random() < 0.5) units = -units;
      const decimal: SqlType = { kind: 'decimal', precision, scale };
      expect(convertDatum(convertDatum(units, decimal, text, CONTEXT), text, decimal, CONTEXT)).toBe(units);
      const float = (random() - 0.5) * 10 ** Math.floor(random() * 600 - 300);
      const written = convertDatum(float, { kind: 'float' }, text, { ...CONTEXT, style: 3 });
      expect(convertDatum(written, text, { kind: 'float' }, CONTEXT)).toBe(float);
    }
  });

  it(`as money keep their four digits through style 2 (seed ${SEED})`, () => {
    const random = generator(SEED);
    const text: SqlType = { kind: 'varchar', length: 60 };
    for (let i = 0; i < 300; i++) {
      const units = BigInt.asIntN(
        64,
        BigInt(Math.floor(random() * 2 ** 53)) * BigInt(Math.floor(random() * 2 ** 11)),
      );
      const written = convertDatum(units, { kind: 'money' }, text, { ...CONTEXT, style: 2 });
      expect(convertDatum(written, text, { kind: 'money' }, CONTEXT)).toBe(units);
    }
  });
});

describe('characters', () => {
  it('that the code page lacks become a near letter or a question mark', () => {
    expect(value("CAST(N'日本 é € ā 😀' AS varchar(30))")).toBe('?? é € a ??');
    expect(value("'日'")).toBe('?');
    expect(value("CAST(N'日😀' COLLATE Latin1_General_100_CI_AS_SC_UTF8 AS varchar(30))")).toBe('日😀');
  });

  it('are never cut in half by a UTF-8 collation', () => {
    expect(value("CAST(N'aé日' COLLATE Latin1_General_100_CI_AS_SC_UTF8 AS varchar(5))")).toBe('aé');
  });

  it('have the code page of their collation', () => {
    expect(value("CAST(N'αβγ é' COLLATE Greek_CI_AS AS varchar(10))")).toBe('αβγ e');
    expect(value("DATALENGTH(CAST(N'日本' COLLATE Japanese_CI_AS AS varchar(10)))")).toBe(4n);
    expect(value("CAST(N'日本語' COLLATE Japanese_CI_AS AS varchar(5))")).toBe('日本');
    expect(value("CONVERT(varbinary(4), N'ω' COLLATE Greek_CI_AS)")).toEqual(Uint8Array.of(0xc9, 0x03));
    expect(value("CONVERT(varbinary(4), CAST(N'ω' COLLATE Greek_CI_AS AS varchar(1)))")).toEqual(
      Uint8Array.of(0xf9),
    );
    expect(printed("CONVERT(varchar(10), COLLATIONPROPERTY('Greek_100_CI_AS', 'CodePage'))")).toBe('1253');
    expect(
      printed("CONVERT(varchar(10), COLLATIONPROPERTY('Latin1_General_100_CI_AS_SC_UTF8', 'CodePage'))"),
    ).toBe('65001');
    expect(value("COLLATIONPROPERTY('Klingon_CI_AS', 'CodePage')")).toBeNull();
  });

  it('become the bytes of their type', () => {
    expect(value("CONVERT(varbinary(8), 'é€')")).toEqual(Uint8Array.of(0xe9, 0x80));
    expect(value("CONVERT(varbinary(8), N'é')")).toEqual(Uint8Array.of(0xe9, 0));
    expect(value("CONVERT(varbinary(8), '0x0102', 1)")).toEqual(Uint8Array.of(1, 2));
    expect(failure("CONVERT(varbinary(8), 'xy', 2)")).toMatch(/^8114/);
  });
});

describe('assignment to a column', () => {
  const target = { table: 'db.dbo.t', column: 'c', collation: COLLATION };
  const assign = (text: string, to: SqlType) => {
    const { type, evaluate } = compiled(text);
    return assignDatum(evaluate(undefined), type, to, target, CONTEXT);
  };

  it('never cuts text or bytes, but trailing spaces', () => {
    expect(() => assign("N'abcd'", { kind: 'nvarchar', length: 3 })).toThrow(
      "String or binary data would be truncated in table 'db.dbo.t', column 'c'. Truncated value: 'abc'.",
    );
    expect(assign("'abc   '", { kind: 'varchar', length: 3 })).toBe('abc');
    expect(() => assign('0x010203', { kind: 'varbinary', length: 2 })).toThrow(SqlFailure);
    expect(assign("'ab'", { kind: 'char', length: 3 })).toBe('ab ');
  });

  it('converts by itself what converts by itself', () => {
    expect(assign("'12.345'", { kind: 'decimal', precision: 5, scale: 2 })).toBe(1235n);
    expect(assign("'2020-01-01'", { kind: 'date' })).toBe(737_424);
    expect(() => assign('300', { kind: 'tinyint' })).toThrow('Arithmetic overflow');
  });
});
