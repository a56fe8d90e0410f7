/** The partition value in BIND: Extended JSON, or a bare path as older clients send it (wire-protocol.md §3.1). */
import { ProtocolError } from './protocol-error.ts';

export type PartitionValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int'; readonly value: bigint }
  /** 24 lower-case hexadecimal digits. */
  | { readonly type: 'objectId'; readonly value: string }
  /** Canonical 8-4-4-4-12 form, lower case. */
  | { readonly type: 'uuid'; readonly value: string }
  | { readonly type: 'null' };

/** Throws `ProtocolError` 103 on text that is neither. */
export function parsePartitionValue(text: string): PartitionValue {
  if (/^-?\d+$/.test(text)) return { type: 'int', value: BigInt(text) };
  if (text === 'null') return { type: 'null' };
  if (!/^["{[]/.test(text)) return { type: 'string', value: text };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(103, 'the partition value is no Extended JSON', cause);
  }
  const value = typeof json === 'string' ? { type: 'string' as const, value: json } : fromObject(json);
  if (value === undefined)
    throw new ProtocolError(103, 'the partition value is of a type that partitions cannot have');
  return value;
}

export function formatPartitionValue(value: PartitionValue): string {
  switch (value.type) {
    case 'null':
      return 'null';
    case 'string':
      return JSON.stringify(value.value);
    case 'int':
      return JSON.stringify({ $numberLong: value.value.toString() });
    case 'objectId':
      return JSON.stringify({ $oid: value.value });
    case 'uuid': {
      const base64 = Buffer.from(value.value.replaceAll('-', ''), 'hex').toString('base64');
      return JSON.stringify({ $binary: { base64, subType: '04' } });
    }
  }
}

function fromObject(json: unknown): PartitionValue | undefined {
  if (!isRecord(json)) return undefined;
  const { $oid, $numberLong, $numberInt, $binary, $uuid } = json;
  const number = $numberLong ?? $numberInt;
  if (typeof number === 'string' && /^-?\d{1,19}$/.test(number))
    return { type: 'int', value: BigInt(number) };
  if (typeof $oid === 'string' && /^[0-9a-fA-F]{24}$/.test($oid))
    return { type: 'objectId', value: $oid.toLowerCase() };
  if (typeof $uuid === 'string' && /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test($uuid)) {
    return { type: 'uuid', value: $uuid.toLowerCase() };
  }
  return isRecord($binary) ? fromBinary($binary) : undefined;
}

function fromBinary({ base64, subType }: Record<string, unknown>): PartitionValue | undefined {
  if (typeof base64 !== 'string' || (subType !== '04' && subType !== '4')) return undefined;
  const hex = Buffer.from(base64, 'base64').toString('hex');
  if (hex.length !== 32) return undefined;
  return { type: 'uuid', value: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
