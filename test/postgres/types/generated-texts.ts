/** Generated values of PostgreSQL's types, as texts that the server reads. */
import fc from 'fast-check';

type Texts = fc.Arbitrary<string>;

const digits = (most: number): Texts => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const sign = fc.constantFrom('', '-');

export const whole = (bits: number): Texts => {
  const limit = 1n << BigInt(bits - 1);
  return fc
    .oneof(
      fc.bigInt({ min: -limit, max: limit - 1n }),
      fc.bigInt({ min: -100n, max: 100n }),
      fc.constantFrom(-limit, limit - 1n, 0n, 1n),
    )
    .map(String);
};
export const unsigned = (bits: number): Texts =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }).map(String);

const plainNumeric = fc
  .tuple(sign, digits(40), fc.option(digits(40), { nil: undefined }))
  .map(([minus, before, after]) => `${minus}${before}${after === undefined ? '' : `.${after}`}`);
export const numeric: Texts = fc.oneof(
  { weight: 4, arbitrary: plainNumeric },
  {
    weight: 4,
    arbitrary: fc
      .tuple(sign, digits(8), digits(5))
      .map(([minus, before, after]) => `${minus}${before}.${after}`),
  },
  { weight: 2, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value)) },
  { weight: 1, arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity', '0', '0.00', '1e400', '1e-400') },
);
export const cents: Texts = fc
  .tuple(sign, digits(8), fc.oneof(fc.stringMatching(/^[0-9]{2}$/), fc.constant('00')))
  .map(([minus, before, after]) => `${minus}${before}.${after}`);

const floatText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
export const double: Texts = fc.oneof(fc.double(), fc.integer({ min: -1000, max: 1000 })).map(floatText);
export const float: Texts = fc.oneof(fc.float(), fc.integer({ min: -1000, max: 1000 })).map(floatText);
export const money: Texts = fc
  .oneof(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.bigInt({ min: -99_999n, max: 99_999n }))
  .map(
    (units) =>
      `${units < 0n ? '-' : ''}${String(units).replace('-', '').padStart(3, '0').replace(/(..)$/, '.$1')}`,
  );

const byte = fc.integer({ min: 0, max: 255 });
/** Every character but NUL, among them those that have a meaning in the forms of values. */
export const text: Texts = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'{}[](),"\'\\ \t\n\r;:=>NULnul0') }),
    fc.constantFrom('NULL', 'null', '', ' ', '\\N', '{}', '()', 'empty', '\\'),
  )
  .map((value) => value.replaceAll('\0', '').toWellFormed());
export const ascii: Texts = fc.string({ unit: 'grapheme-ascii', maxLength: 5 });
export const label: Texts = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
export const bytes: Texts = fc
  .oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 12, maxLength: 12 }))
  .map((value) => `\\x${Buffer.from(value).toString('hex')}`);
export const bits = (least: number, most: number): Texts =>
  fc.stringMatching(new RegExp(`^[01]{${least},${most}}$`));
export const uuid: Texts = fc.uuid();
export const bool: Texts = fc.constantFrom('t', 'f');

const two = (value: number): string => String(value).padStart(2, '0');
export const day = (lastYear: number): Texts =>
  fc
    .tuple(
      fc.oneof(fc.integer({ min: 1900, max: 2100 }), fc.integer({ min: -4712, max: lastYear })),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
    )
    .map(([year, month, date]) => {
      const [shown, era] = year <= 0 ? [1 - year, ' BC'] : [year, ''];
      return `${String(shown).padStart(4, '0')}-${two(month)}-${two(date)}${era}`;
    });
export const time: Texts = fc
  .tuple(fc.integer({ min: 0, max: 86_399 }), fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999 })))
  .map(([clock, micro]) => {
    const fraction = micro === 0 ? '' : `.${String(micro).padStart(6, '0')}`;
    return `${two(Math.floor(clock / 3600))}:${two(Math.floor(clock / 60) % 60)}:${two(clock % 60)}${fraction}`;
  });
const offset = fc.tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 15 * 60 + 59 }));
export const timetz: Texts = fc
  .tuple(time, offset)
  .map(([clock, [east, minutes]]) => `${clock}${east}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`);
export const instant: Texts = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.tuple(day(294_275), time).map(([date, clock]) => {
      const [bare = '', era = ''] = date.split(' ');
      return `${bare} ${clock}+00${era === '' ? '' : ` ${era}`}`;
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom('infinity', '-infinity') },
);
export const interval: Texts = fc
  .tuple(
    fc.integer({ min: -99_999, max: 99_999 }),
    fc.integer({ min: -99_999, max: 99_999 }),
    sign,
    fc.integer({ min: 0, max: 5000 }),
    time,
  )
  .map(
    ([months, days, minus, hours, clock]) => `${months} mons ${days} days ${minus}${hours}${clock.slice(2)}`,
  );

const jsonNumber = fc.oneof(
  whole(64),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => (Object.is(value, -0) ? '0' : String(value))),
  fc.tuple(fc.integer({ min: 1, max: 9 }), digits(40)).map(([first, rest]) => `${first}.${rest}`),
  fc.tuple(fc.integer({ min: 1, max: 9 }), digits(25)).map(([first, rest]) => `${first}${rest}`),
);
const { document } = fc.letrec<{ document: string; list: string; object: string }>((tie) => ({
  document: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    jsonNumber,
    text.map((value) => JSON.stringify(value)),
    fc.constantFrom('true', 'false', 'null'),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('document'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
  object: fc
    .array(fc.tuple(fc.oneof(label, fc.constantFrom('$date', '$dictionary', '$uuid', '')), tie('document')), {
      maxLength: 4,
    })
    .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')}}`),
}));
export const json: Texts = document;
/** The forms of mixed values, and what only looks like them. */
export const wrappedJson: Texts = fc.oneof(
  fc.constantFrom(
    '{"$date": "2024-02-29T12:00:00Z"}',
    '{"$date": "tomorrow"}',
    '{"$double": "NaN"}',
    '{"$dictionary": {"$dictionary": {"$uuid": "00000000-0000-0000-0000-000000000000"}}}',
    '{"$dictionary": {"a": 1}}',
    '{"$link": {"class": "Dog", "key": 5}}',
    '{"$link": {"class": "Dog"}}',
    '{"$data": "!"}',
  ),
);

export const inet: Texts = fc
  .tuple(fc.ipV4(), fc.option(fc.integer({ min: 0, max: 32 }), { nil: undefined }))
  .map(([address, mask]) => (mask === undefined ? address : `${address}/${mask}`));
export const inet6: Texts = fc.ipV6().filter((address) => !/^::\d|\./.test(address));
export const cidr: Texts = fc.tuple(byte, byte).map(([a, b]) => `${a}.${b}.0.0/16`);
const hex = (pairs: number): Texts =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{2}(:[0-9a-f]{2}){${pairs - 1}}$`));
export const macaddr = hex(6);
export const macaddr8 = hex(8);

const coordinate = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(floatText);
export const point: Texts = fc.tuple(coordinate, coordinate).map(([x, y]) => `(${x},${y})`);
const points = (least: number): fc.Arbitrary<string[]> => fc.array(point, { minLength: least, maxLength: 5 });
export const box: Texts = fc.tuple(point, point).map(([a, b]) => `${a},${b}`);
export const lseg: Texts = fc.tuple(point, point).map(([a, b]) => `[${a},${b}]`);
export const path: Texts = fc
  .tuple(points(1), fc.boolean())
  .map(([corners, open]) => (open ? `[${corners.join()}]` : `(${corners.join()})`));
export const polygon: Texts = points(1).map((corners) => `(${corners.join()})`);
export const circle: Texts = fc
  .tuple(point, fc.double({ min: 0, max: 1e6, noNaN: true }))
  .map(([centre, radius]) => `<${centre},${floatText(radius)}>`);
export const line: Texts = fc
  .tuple(fc.integer({ min: 1, max: 99 }), coordinate, coordinate)
  .map(([a, b, c]) => `{${a},${b},${c}}`);

/** Ranges of bounds that are in order; `low` and `high` may be absent. */
export function range(bound: fc.Arbitrary<number>, show: (value: number) => string): Texts {
  const optional = fc.option(bound, { nil: undefined });
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant('empty') },
    {
      weight: 9,
      arbitrary: fc
        .tuple(optional, optional, fc.constantFrom('[', '('), fc.constantFrom(']', ')'))
        .map(([a, b, open, close]) => {
          const [low, high] = a !== undefined && b !== undefined && a > b ? [b, a] : [a, b];
          const quoted = (value: number | undefined): string =>
            value === undefined ? '' : `"${show(value)}"`;
          return `${open}${quoted(low)},${quoted(high)}${close}`;
        }),
    },
  );
}

export const lexemes: Texts = fc
  .array(label, { maxLength: 5 })
  .map((words) => words.map((word, index) => `'${word}':${index + 1}A`).join(' '));
export const tsquery: Texts = fc
  .array(label, { minLength: 1, maxLength: 4 })
  .map((words) => words.map((word) => `'${word}'`).join(' & '));
export const ltree: Texts = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
export const hstore: Texts = fc.dictionary(text, fc.option(text), { maxKeys: 5 }).map((pairs) =>
  Object.entries(pairs)
    .map(([name, value]) => `${hstoreQuoted(name)}=>${value === null ? 'NULL' : hstoreQuoted(value)}`)
    .join(', '),
);
function hstoreQuoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

export const lsn: Texts = fc
  .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 0xffffffff }))
  .map(([high, low]) => `${high.toString(16).toUpperCase()}/${low.toString(16).toUpperCase()}`);

function arrayQuoted(item: string | null): string {
  return item === null ? 'NULL' : `"${item.replace(/["\\]/g, '\\$&')}"`;
}

/** Arrays with NULLs, now and then of two dimensions or with indexes of their own. */
export function arrayOf(element: Texts, delimiter = ','): Texts {
  const items = fc.array(fc.option(element, { freq: 6 }), { maxLength: 6 });
  const flat = items.map((texts) => `{${texts.map(arrayQuoted).join(delimiter)}}`);
  const shifted = fc
    .tuple(fc.integer({ min: -5, max: 5 }), fc.array(element, { minLength: 1, maxLength: 3 }))
    .map(
      ([from, texts]) => `[${from}:${from + texts.length - 1}]={${texts.map(arrayQuoted).join(delimiter)}}`,
    );
  const deep = fc
    .tuple(element, element, element, element)
    .map(
      ([a, b, c, d]) =>
        `{{${[a, b].map(arrayQuoted).join(delimiter)}}${delimiter}{${[c, d].map(arrayQuoted).join(delimiter)}}}`,
    );
  return fc.oneof(
    { weight: 8, arbitrary: flat },
    { weight: 1, arbitrary: shifted },
    { weight: 1, arbitrary: deep },
  );
}

export function record(...fields: readonly Texts[]): Texts {
  return fc
    .tuple(...fields.map((field) => fc.option(field, { freq: 6 })))
    .map(
      (texts) =>
        `(${texts.map((item) => (item === null ? '' : `"${item.replace(/["\\]/g, '$&$&')}"`)).join(',')})`,
    );
}
