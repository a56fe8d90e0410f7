/** Log sequence numbers: `X/Y` in hexadecimal; compared as 64-bit numbers, never as text. */
import type { Position } from '../../src/connector/dialect.ts';

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

export function formatLsn(high: number, low: number): Position {
  return `${high.toString(16).toUpperCase()}/${low.toString(16).toUpperCase()}` as Position;
}

/** As the server writes one. */
export function positionOf(lsn: string): Position {
  parseLsn(lsn);
  return lsn as Position;
}

/** Throws `RangeError` on text that is no LSN. */
export function parseLsn(text: string): bigint {
  const match = LSN.exec(text);
  if (match === null) throw new RangeError(`not a log sequence number: ${JSON.stringify(text)}`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export function compareLsn(a: string, b: string): number {
  const left = parseLsn(a);
  const right = parseLsn(b);
  return left < right ? -1 : left > right ? 1 : 0;
}
