/** Exact numbers as units of a scale. */
import type { SqlType } from '../../contract.ts';
import { decimalShape, MAXIMAL_PRECISION } from './precedence.ts';

type Decimal = Extract<SqlType, { readonly kind: 'decimal' }>;
type Shape = { readonly precision: number; readonly scale: number };

/** Digits after the point that a product or quotient keeps when its precision has to be cut. */
const SCALE_KEPT = 6;

export const powerOfTen = (digits: number): bigint => 10n ** BigInt(digits);

/** Division that rounds half away from zero. */
export function divideRounding(units: bigint, divisor: bigint): bigint {
  const half = divisor / 2n;
  return units < 0n ? -((-units + half) / divisor) : (units + half) / divisor;
}

/** The units at another scale, rounded half away from zero. */
export function rescale(units: bigint, from: number, to: number): bigint {
  if (to >= from) return units * powerOfTen(to - from);
  return divideRounding(units, powerOfTen(from - to));
}

export function fitsPrecision(units: bigint, precision: number): boolean {
  const limit = powerOfTen(precision);
  return units < limit && units > -limit;
}

export function decimalText(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const sign = units < 0n ? '-' : '';
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The type of `left operator right` for exact numbers of which one is decimal. */
export function decimalResult(
  operator: '+' | '-' | '*' | '/' | '%',
  leftType: SqlType,
  rightType: SqlType,
): Decimal {
  const left: Shape = decimalShape(leftType);
  const right: Shape = decimalShape(rightType);
  const wholes = Math.max(left.precision - left.scale, right.precision - right.scale);
  switch (operator) {
    case '+':
    case '-': {
      const scale = Math.max(left.scale, right.scale);
      const precision = wholes + scale + 1;
      if (precision <= MAXIMAL_PRECISION) return { kind: 'decimal', precision, scale };
      return {
        kind: 'decimal',
        precision: MAXIMAL_PRECISION,
        scale: Math.min(scale, Math.max(MAXIMAL_PRECISION - wholes, 0)),
      };
    }
    case '*':
      return cut(left.precision + right.precision + 1, left.scale + right.scale);
    case '/': {
      const scale = Math.max(SCALE_KEPT, left.scale + right.precision + 1);
      return cut(left.precision - left.scale + right.scale + scale, scale);
    }
    case '%': {
      const scale = Math.max(left.scale, right.scale);
      return cut(Math.min(left.precision - left.scale, right.precision - right.scale) + scale, scale);
    }
  }
}

function cut(precision: number, scale: number): Decimal {
  if (precision <= MAXIMAL_PRECISION) return { kind: 'decimal', precision, scale };
  const whole = precision - scale;
  const kept = Math.max(Math.min(scale, MAXIMAL_PRECISION - whole), Math.min(scale, SCALE_KEPT));
  return { kind: 'decimal', precision: MAXIMAL_PRECISION, scale: kept };
}

/** `left operator right` in units of `result`; `undefined` for a division by zero. */
export function decimalOperation(
  operator: '+' | '-' | '*' | '/' | '%',
  left: { readonly units: bigint; readonly scale: number },
  right: { readonly units: bigint; readonly scale: number },
  result: Decimal,
): bigint | undefined {
  const scale = Math.max(left.scale, right.scale);
  const a = rescale(left.units, left.scale, scale);
  const b = rescale(right.units, right.scale, scale);
  switch (operator) {
    case '+':
      return rescale(a + b, scale, result.scale);
    case '-':
      return rescale(a - b, scale, result.scale);
    case '*':
      return rescale(left.units * right.units, left.scale + right.scale, result.scale);
    case '/':
      // What the scale does not hold is cut off, not rounded.
      return b === 0n ? undefined : (a * powerOfTen(result.scale)) / b;
    case '%':
      return b === 0n ? undefined : rescale(a % b, scale, result.scale);
  }
}
