/** Realm values as texts for whoever reads a report. */
import { decimalToText } from '../../schema/decimal128.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';

/** Longer values say nothing more in a report. */
const MAX_TEXT = 200;

export function keyText(key: PrimaryKey): string {
  return key.type === 'null' ? 'null' : keyToken(key).slice(1);
}

/** `null` for null; containers as JSON. */
export function valueText(value: StateValue): string | null {
  const plain = plainOf(value);
  if (plain === null) return null;
  return shortened(typeof plain === 'string' ? plain : JSON.stringify(plain));
}

export function shortened(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}

type Plain = string | null | readonly Plain[] | { readonly [name: string]: Plain };

function plainOf(value: StateValue): Plain {
  switch (value.type) {
    case 'null':
      return null;
    case 'string':
    case 'objectId':
    case 'uuid':
      return value.value;
    case 'data':
      return Buffer.from(value.value).toString('hex');
    case 'date':
      return dateText(value);
    case 'decimal128':
      return decimalToText(value);
    case 'link':
      return keyText(value.key);
    case 'list':
      return value.items.map(plainOf);
    case 'set':
      return [...value.items.values()].map(plainOf);
    case 'dictionary':
      return plainEntries(value.entries);
    case 'object':
      return plainEntries(value.fields);
    default:
      return Object.is(value.value, -0) ? '-0' : String(value.value);
  }
}

function plainEntries(entries: ReadonlyMap<string, StateValue>): Plain {
  return Object.fromEntries([...entries].map(([name, entry]) => [name, plainOf(entry)]));
}

const NANOSECOND_DIGITS = 9;
const SECONDS_OF_JS = 8_640_000_000_000n;

/** ISO with the nanoseconds that `Date` lacks; beyond the years that `Date` knows, seconds. */
function dateText({ seconds, nanoseconds }: { seconds: bigint; nanoseconds: number }): string {
  const [whole, rest] = nanoseconds < 0 ? [seconds - 1n, nanoseconds + 1e9] : [seconds, nanoseconds];
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(NANOSECOND_DIGITS, '0').replace(/0+$/, '')}`;
  if (whole > SECONDS_OF_JS || whole < -SECONDS_OF_JS) return `${whole}${fraction} s`;
  return new Date(Number(whole) * 1000).toISOString().replace('.000Z', `${fraction}Z`);
}
