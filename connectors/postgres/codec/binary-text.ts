/**
 * Which decimal texts the server itself gives to binary floating point. Mostly it is the shortest one that reads back as
 * the same number, as everywhere; but it takes no text from the very middle of two numbers, and rounds ties to even.
 */
import { canonical, isSameNumber } from '../../../src/connector/codec/number-text.ts';

type Precision = {
  /** From here on a text may be the shortest; fewer digits are found with it. */
  readonly fewest: number;
  readonly most: number;
  readonly round: (value: number) => number;
  readonly neighbours: (value: number) => readonly [number, number];
};

const FLOAT: Precision = { fewest: 6, most: 9, round: Math.fround, neighbours: floatNeighbours };
const DOUBLE: Precision = { fewest: 15, most: 17, round: Number, neighbours: doubleNeighbours };
/** Below these numbers lose precision, and fewer digits tell them apart. */
const SMALLEST_NORMAL = { float4: 2 ** -126, float8: 2 ** -1022 };

/** Whether a column of that type, given the text, shows the same number. */
export function isKept(text: string, type: 'float4' | 'float8'): boolean {
  const precision = type === 'float4' ? FLOAT : DOUBLE;
  const value = precision.round(Number(text));
  if (!Number.isFinite(value) || value === 0) return isSameNumber(text, String(value));
  const isNormal = Math.abs(value) >= SMALLEST_NORMAL[type];
  for (let digits = isNormal ? precision.fewest : 1; digits <= precision.most; digits += 1) {
    const shortest = value.toPrecision(digits);
    if (precision.round(Number(shortest)) !== value || isHalfway(shortest, value, precision)) continue;
    return isSameNumber(text, shortest) || isOtherChoice(text, shortest, value);
  }
  return false;
}

/**
 * The server may have chosen another text of as many digits: of two that are equally near the even one, and beside a
 * power of two, where numbers lie closer on one side, one that is not the nearest.
 */
function isOtherChoice(text: string, shortest: string, value: number): boolean {
  const digits = digitsOf(text);
  if (digits.length > digitsOf(shortest).length) return false;
  if (Number.isInteger(Math.log2(Math.abs(value)))) return true;
  const [own, other] = distances(value, text, shortest);
  return own === other && EVEN.test(digits);
}

const EVEN = /[02468]$/;

function isHalfway(text: string, value: number, { neighbours }: Precision): boolean {
  return neighbours(value).some((neighbour) => {
    if (!Number.isFinite(neighbour)) return false;
    const [toText, toNeighbour] = distances(value, text, exactText(neighbour));
    return toText * 2n === toNeighbour;
  });
}

function digitsOf(text: string): string {
  return canonical(text).replace('-', '').split('e')[0] ?? '';
}

function power(text: string): number {
  return Number(canonical(text).split('e')[1] ?? 0);
}

/** How far two numbers are from `value`, in one unit. */
function distances(value: number, a: string, b: string): [bigint, bigint] {
  const exact = exactText(value);
  const unit = Math.min(power(exact), power(a), power(b));
  const scaled = (text: string): bigint =>
    BigInt(canonical(text).split('e')[0] ?? '0') * 10n ** BigInt(power(text) - unit);
  const distance = (text: string): bigint => {
    const difference = scaled(text) - scaled(exact);
    return difference < 0n ? -difference : difference;
  };
  return [distance(a), distance(b)];
}

/** Every digit of a finite double: a power of two divides into decimals that end. */
function exactText(value: number): string {
  let numerator = value;
  let halvings = 0;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    halvings += 1;
  }
  return `${BigInt(numerator) * 5n ** BigInt(halvings)}e-${halvings}`;
}

const VIEW = new DataView(new ArrayBuffer(8));

function doubleNeighbours(value: number): readonly [number, number] {
  VIEW.setFloat64(0, value);
  const bits = VIEW.getBigUint64(0);
  const at = (moved: bigint): number => {
    VIEW.setBigUint64(0, moved);
    return VIEW.getFloat64(0);
  };
  return [at(bits - 1n), at(bits + 1n)];
}

function floatNeighbours(value: number): readonly [number, number] {
  VIEW.setFloat32(0, value);
  const bits = VIEW.getUint32(0);
  const at = (moved: number): number => {
    VIEW.setUint32(0, moved);
    return VIEW.getFloat32(0);
  };
  return [at(bits - 1), at(bits + 1)];
}
