/** The beginning of a value for messages. */
import type { StateValue } from '../../store/state/object-state.ts';

const LONGEST = 120;

export function stateExcerpt(value: StateValue): string {
  const text = shown(value, LONGEST);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Stops at the first member that is no longer needed, however large the value is. */
function shown(value: StateValue, room: number): string {
  switch (value.type) {
    case 'null':
      return 'null';
    case 'list':
    case 'set':
      return `[${joined(value.items.values(), room, (item) => shown(item, room))}]`;
    case 'dictionary':
      return `{${joined(value.entries, room, ([name, entry]) => `${name}: ${shown(entry, room)}`)}}`;
    case 'object':
      return `{${joined(value.fields, room, ([name, field]) => `${name}: ${shown(field, room)}`)}}`;
    case 'link':
      return `a link to ${value.table}`;
    case 'date':
      return `${value.seconds} s from 1970`;
    case 'decimal128':
      return `${value.negative ? '-' : ''}${value.coefficient}E${value.exponent}`;
    case 'data':
      return Buffer.from(value.value.subarray(0, room)).toString('hex');
    case 'string':
      return JSON.stringify(value.value.slice(0, room + 1));
    default:
      return String(value.value);
  }
}

function joined<T>(items: Iterable<T>, room: number, show: (item: T) => string): string {
  let text = '';
  for (const item of items) {
    text += `${text === '' ? '' : ', '}${show(item)}`;
    if (text.length > room) break;
  }
  return text;
}
