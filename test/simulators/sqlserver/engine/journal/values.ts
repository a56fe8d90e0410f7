/** Values as JSON and back, exactly. */
import type { Datum, SqlType } from '../../contract.ts';

/**
 * Strings, booleans and NULL stand for themselves; others are `{"i": bigint}`, `{"f": number}`, `{"b": base64}`,
 * `{"d": [days, ticks, offset?]}` and `{"v": [type, value]}`.
 */
export type JsonDatum =
  | null
  | string
  | boolean
  | { readonly i: string }
  | { readonly f: string }
  | { readonly b: string }
  | { readonly d: readonly [number, string, number?] }
  | { readonly v: readonly [SqlType, JsonDatum] };

export function encodeDatum(value: Datum): JsonDatum {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return { i: String(value) };
  // As text: JSON knows neither the sign of zero nor infinities.
  if (typeof value === 'number') return { f: Object.is(value, -0) ? '-0' : String(value) };
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('base64') };
  if ('days' in value) {
    const ticks = String(value.ticks);
    return { d: 'offset' in value ? [value.days, ticks, value.offset] : [value.days, ticks] };
  }
  return { v: [value.type, encodeDatum(value.value)] };
}

export function decodeDatum(json: JsonDatum): Datum {
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json;
  if ('i' in json) return BigInt(json.i);
  if ('f' in json) return Number(json.f);
  if ('b' in json) return new Uint8Array(Buffer.from(json.b, 'base64'));
  if ('d' in json) {
    const [days, ticks, offset] = json.d;
    return offset === undefined ? { days, ticks: BigInt(ticks) } : { days, ticks: BigInt(ticks), offset };
  }
  const inner = decodeDatum(json.v[1]);
  return inner === null ? null : { type: json.v[0], value: inner };
}

export function encodeRow(data: readonly Datum[]): JsonDatum[] {
  return data.map((value) => encodeDatum(value ?? null));
}

export function decodeRow(json: readonly JsonDatum[]): Datum[] {
  return json.map(decodeDatum);
}
