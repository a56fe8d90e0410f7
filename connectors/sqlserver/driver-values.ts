/** Values as texts, from what the driver makes of them. */
import type { SqlText } from '../../src/connector/dialect.ts';

export type DriverValue = { readonly value: unknown };

export function asText({ value }: DriverValue): SqlText {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (Buffer.isBuffer(value)) return asHex(value);
  return value instanceof Date ? value.toISOString() : String(value);
}

export function asHex(bytes: Buffer): string {
  return `0x${bytes.toString('hex').toUpperCase()}`;
}
