/** Reads what `ObjectEncoder` wrote. Values of columns that no longer exist are skipped. */
import { type LinkValue, NULL, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import type { ClassLayout, LayoutLookup } from './layout.ts';
import type { ObjectState, StateValue } from './object-state.ts';
import { ValueTag } from './value-tag.ts';
import { valueToken } from './value-token.ts';

const TRUE: ScalarValue = Object.freeze({ type: 'bool', value: true });
const FALSE: ScalarValue = Object.freeze({ type: 'bool', value: false });
const INT32_SHIFTS = 28;

export class ObjectDecoder {
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #layouts: LayoutLookup;

  constructor(layouts: LayoutLookup) {
    this.#layouts = layouts;
  }

  decode(bytes: Uint8Array, layout: ClassLayout): ObjectState {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    return { fields: this.#fields(layout) };
  }

  #fields(layout: ClassLayout | undefined): Map<string, StateValue> {
    const fields = new Map<string, StateValue>();
    for (;;) {
      const number = this.#varint();
      if (number === 0) return fields;
      const column = layout?.byId[number - 1];
      const value = this.#value(column?.column.linkTarget);
      if (column !== undefined) fields.set(column.name, value);
    }
  }

  #value(linkTarget: string | undefined): StateValue {
    const tag = this.#buffer[this.#at++];
    switch (tag) {
      case ValueTag.object:
        return { type: 'object', fields: this.#fields(this.#layouts(linkTarget ?? '')) };
      case ValueTag.list: {
        const items: StateValue[] = [];
        for (let count = this.#varint(); count > 0; count--) items.push(this.#value(linkTarget));
        return { type: 'list', items };
      }
      case ValueTag.dictionary: {
        const entries = new Map<string, StateValue>();
        for (let count = this.#varint(); count > 0; count--) {
          const key = this.#text();
          entries.set(key, this.#value(linkTarget));
        }
        return { type: 'dictionary', entries };
      }
      case ValueTag.set: {
        const items = new Map<string, ScalarValue>();
        for (let count = this.#varint(); count > 0; count--) {
          const member = this.#scalar(this.#buffer[this.#at++], linkTarget);
          items.set(valueToken(member), member);
        }
        return { type: 'set', items };
      }
      default:
        return this.#scalar(tag, linkTarget);
    }
  }

  #scalar(tag: number | undefined, linkTarget: string | undefined): ScalarValue {
    switch (tag) {
      case ValueTag.false:
        return FALSE;
      case ValueTag.true:
        return TRUE;
      case ValueTag.data:
        return { type: 'data', value: this.#bytes() };
      case ValueTag.smallDate:
        return { type: 'date', seconds: BigInt(this.#zigzag()), nanoseconds: this.#zigzag() };
      case ValueTag.date:
        return { type: 'date', seconds: this.#int64(), nanoseconds: this.#zigzag() };
      case ValueTag.float:
        this.#at += 4;
        return { type: 'float', value: this.#buffer.readFloatLE(this.#at - 4) };
      case ValueTag.double:
        this.#at += 8;
        return { type: 'double', value: this.#buffer.readDoubleLE(this.#at - 8) };
      case ValueTag.decimal: {
        const negative = this.#buffer[this.#at++] === 1;
        const exponent = this.#zigzag();
        const low = this.#uint64();
        return { type: 'decimal128', coefficient: (this.#uint64() << 64n) | low, exponent, negative };
      }
      case ValueTag.link:
        return this.#link(linkTarget ?? '');
      case ValueTag.linkWithClass:
        return this.#link(this.#text());
      default: {
        const key = this.#key(tag);
        if (key.type === 'globalKey') throw new RangeError('a stored value is not readable');
        return key;
      }
    }
  }

  #link(table: string): LinkValue {
    return { type: 'link', table, key: this.#key(this.#buffer[this.#at++]) };
  }

  #key(tag: number | undefined): PrimaryKey {
    switch (tag) {
      case ValueTag.null:
        return NULL;
      case ValueTag.smallInt:
        return { type: 'int', value: BigInt(this.#zigzag()) };
      case ValueTag.int64:
        return { type: 'int', value: this.#int64() };
      case ValueTag.string:
        return { type: 'string', value: this.#text() };
      case ValueTag.objectId:
        return { type: 'objectId', value: this.#hex(this.#at + 12) };
      case ValueTag.uuid:
        return { type: 'uuid', value: this.#uuid() };
      case ValueTag.globalKey:
        return { type: 'globalKey', hi: this.#uint64(), lo: this.#uint64() };
      default:
        throw new RangeError(`a stored value is not readable: tag ${tag} at byte ${this.#at}`);
    }
  }

  #int64(): bigint {
    this.#at += 8;
    return this.#buffer.readBigInt64LE(this.#at - 8);
  }

  #uint64(): bigint {
    this.#at += 8;
    return this.#buffer.readBigUInt64LE(this.#at - 8);
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #varint(): number {
    const buffer = this.#buffer;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = buffer[this.#at++] ?? 0;
      if (shift < INT32_SHIFTS) value |= (byte & 0x7f) << shift;
      else value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  #text(): string {
    const length = this.#varint();
    const start = this.#at;
    this.#at = start + length;
    return length === 0 ? '' : this.#buffer.toString('utf8', start, start + length);
  }

  #bytes(): Uint8Array {
    const length = this.#varint();
    this.#at += length;
    return new Uint8Array(this.#buffer.subarray(this.#at - length, this.#at));
  }

  #hex(end: number): string {
    const text = this.#buffer.toString('hex', this.#at, end);
    this.#at = end;
    return text;
  }

  #uuid(): string {
    const hex = this.#hex(this.#at + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}
