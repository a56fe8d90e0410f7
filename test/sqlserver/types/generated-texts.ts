/** Generated values of SQL Server's types, as texts that the server reads. */
import fc from 'fast-check';

export type Texts = fc.Arbitrary<string>;

const digits = (most: number): Texts => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const sign = fc.constantFrom('', '-');

export const whole = (smallest: bigint, largest: bigint): Texts =>
  fc
    .oneof(
      fc.bigInt({ min: smallest, max: largest }),
      fc.bigInt({ min: smallest < -100n ? -100n : smallest, max: 100n }),
      fc.constantFrom(smallest, largest, 0n, 1n),
    )
    .map(String);
export const signed = (bits: number): Texts =>
  whole(-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n);

/** With up to `whole` digits before the point and exactly as many after it. */
export const decimal = (before: number, after: number): Texts =>
  fc
    .tuple(
      sign,
      digits(Math.max(before, 1)),
      fc.oneof(
        { weight: 3, arbitrary: fc.stringMatching(new RegExp(`^[0-9]{${after}}$`)) },
        { weight: 1, arbitrary: fc.constant('0'.repeat(after)) },
      ),
    )
    .map(([minus, high, low]) => {
      const number = `${before === 0 ? '0' : high}${after === 0 ? '' : `.${low}`}`;
      return `${minus}${number}`;
    });
const amount = (bits: number): Texts => {
  const limit = 1n << BigInt(bits - 1);
  return fc
    .oneof(
      fc.bigInt({ min: -limit, max: limit - 1n }),
      fc.bigInt({ min: -99_999n, max: 99_999n }),
      fc.constantFrom(-limit, limit - 1n),
    )
    .map((units) => {
      const padded = String(units).replace('-', '').padStart(5, '0');
      return `${units < 0n ? '-' : ''}${padded.slice(0, -4)}.${padded.slice(-4)}`;
    });
};
export const money = amount(64);
export const smallmoney = amount(32);

const SMALLEST_DOUBLE = 2 ** -1022;
const SMALLEST_FLOAT = 2 ** -126;
const floatText = (value: number): string => (Object.is(value, -0) ? '-0' : value.toExponential());
export const double: Texts = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -1000, max: 1000 }),
    fc.constantFrom(Number.MAX_VALUE, SMALLEST_DOUBLE, 0.1, 0.1 + 0.2),
  )
  .filter((value) => value === 0 || Math.abs(value) >= SMALLEST_DOUBLE)
  .map(floatText);
export const float: Texts = fc
  .oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -1000, max: 1000 }))
  .filter((value) => value === 0 || Math.abs(value) >= SMALLEST_FLOAT)
  .map(floatText);

/** Every character, NUL and those beyond the BMP among them. */
export const text: Texts = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'{}[](),"\'\\ \t\n\r;:=%_N?\0é€😀') }),
    fc.constantFrom('NULL', '', ' ', 'a ', "O'Hara", ']]', '\\u0041', '0x41', '?'),
  )
  .map((value) => value.toWellFormed());
const LATIN1 = fc.constantFrom(...'aZ 0\'"?%éüß€™œŸ¿\0\n');
export const latin1: Texts = fc.string({ unit: LATIN1, maxLength: 12 });
export const ascii = (most: number): Texts => fc.string({ unit: 'grapheme-ascii', maxLength: most });
export const label: Texts = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
export const bytes = (least: number, most: number): Texts =>
  fc
    .uint8Array({ minLength: least, maxLength: most })
    .map((value) => `0x${Buffer.from(value).toString('hex')}`);
export const uuid: Texts = fc.uuid();
export const bool: Texts = fc.constantFrom('0', '1');

const two = (value: number): string => String(value).padStart(2, '0');
export const day = (first: number, last: number): Texts =>
  fc
    .tuple(
      fc.oneof(fc.integer({ min: 1900, max: 2078 }), fc.integer({ min: first, max: last })),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
    )
    .map(([year, month, date]) => `${String(year).padStart(4, '0')}-${two(month)}-${two(date)}`);
export const time = (decimals: number): Texts =>
  fc
    .tuple(
      fc.oneof(fc.integer({ min: 0, max: 86_399 }), fc.constant(86_399)),
      fc.stringMatching(new RegExp(`^[0-9]{${decimals}}$`)),
    )
    .map(([clock, fraction]) => {
      const shown = `${two(Math.floor(clock / 3600))}:${two(Math.floor(clock / 60) % 60)}:${two(clock % 60)}`;
      return decimals === 0 ? shown : `${shown}.${fraction}`;
    });
export const instant = (decimals: number, first = 1, last = 9999): Texts =>
  fc.tuple(day(first, last), time(decimals)).map(([date, clock]) => `${date} ${clock}`);
export const offsetInstant = (decimals: number): Texts =>
  fc
    .tuple(instant(decimals, 2, 9998), fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 14 * 60 }))
    .map(([at, side, minutes]) => `${at} ${side}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`);
export const path: Texts = fc
  .array(fc.integer({ min: 0, max: 5000 }), { maxLength: 5 })
  .map((steps) => `/${steps.map((step) => `${step}/`).join('')}`);

const jsonNumber = fc.oneof(
  signed(64),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => (Object.is(value, -0) ? '0' : String(value))),
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
