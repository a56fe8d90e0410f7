/** Bytes to instructions (changeset-format.md §2–§7), refusing everything that §7.1 lists and what no peer can hold. */
import type { CollectionKind, ColumnDefinition } from '../schema/definition.ts';
import { type DateValue, type DecimalValue, type LinkValue, NULL, type PrimaryKey } from '../schema/value.ts';
import type { BadChangesetError } from './bad-changeset-error.ts';
import { ByteReader } from './byte-reader.ts';
import type { AddColumn, AddTable, Changeset, Instruction, Path, Payload, Update } from './instruction.ts';
import {
  COLLECTION_KINDS,
  COLUMN_TYPES,
  DECIMAL_COEFFICIENT_LIMIT,
  MAX_DECIMAL_EXPONENT,
  MIN_DECIMAL_EXPONENT,
  Opcode,
  PRIMARY_KEY_TYPES,
  TABLE_KINDS,
  TypeCode,
} from './type-codes.ts';

const MAX_INDEX = 0xffff_ffff;
const NOTHING = new Uint8Array(0);
const NO_PATH: Path = Object.freeze([]);
const OBJECT: Payload = Object.freeze({ type: 'object' });
const LIST: Payload = Object.freeze({ type: 'list' });
const DICTIONARY: Payload = Object.freeze({ type: 'dictionary' });
const SET: Payload = Object.freeze({ type: 'set' });
const ERASED: Payload = Object.freeze({ type: 'erased' });
const TRUE: Payload = Object.freeze({ type: 'bool', value: true });
const FALSE: Payload = Object.freeze({ type: 'bool', value: false });

/** Reads a changeset. Throws `BadChangesetError` and nothing else, whatever the bytes. */
export function decodeChangeset(bytes: Uint8Array): Changeset {
  return new ChangesetDecoder(bytes).decode();
}

export type PassedOn = {
  readonly changeset: Changeset;
  /** As `reencodeChangeset` writes it, made by moving bytes instead of writing each instruction anew. */
  readonly bytes: Uint8Array;
};

/** Reads a changeset that is passed on unchanged. Throws as {@link decodeChangeset} does. */
export function decodeToPassOn(bytes: Uint8Array): PassedOn {
  const decoder = new ChangesetDecoder(bytes);
  const changeset = decoder.decode();
  return { changeset, bytes: changeset.instructions.length === 0 ? NOTHING : decoder.tableFirst(bytes) };
}

class ChangesetDecoder {
  readonly #reader: ByteReader;
  readonly #strings: string[] = [];
  readonly #known = new Set<string>();
  /** Start and end of each definition of a string. */
  readonly #definitions: number[] = [];
  /** The latest key and where it stands: instructions on one object follow one another. */
  #latestKey: PrimaryKey | undefined;
  #latestKeyStart = 0;
  #latestKeyLength = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
  }

  decode(): Changeset {
    const reader = this.#reader;
    const instructions: Instruction[] = [];
    while (reader.remaining > 0) {
      const start = reader.position;
      const opcode = reader.readNumber();
      if (opcode === Opcode.internString) {
        this.#defineString();
        this.#definitions.push(start, reader.position);
      } else instructions.push(this.#instruction(opcode));
    }
    return { strings: this.#strings, instructions };
  }

  /** The definitions of strings moved in front of everything else; their order, and so every index, stays. */
  tableFirst(bytes: Uint8Array): Uint8Array {
    const definitions = this.#definitions;
    const moved = new Uint8Array(bytes.length);
    let at = 0;
    for (let i = 0; i < definitions.length; i += 2) {
      const definition = bytes.subarray(definitions[i], definitions[i + 1]);
      moved.set(definition, at);
      at += definition.length;
    }
    let start = 0;
    for (let i = 0; i <= definitions.length; i += 2) {
      const part = bytes.subarray(start, definitions[i]);
      moved.set(part, at);
      at += part.length;
      start = definitions[i + 1] ?? bytes.length;
    }
    return moved;
  }

  #defineString(): void {
    const index = this.#reader.readUint32();
    if (index !== this.#strings.length) throw this.#fail(`unexpected intern index ${index}`);
    const text = this.#reader.readText();
    if (this.#known.has(text)) throw this.#fail('intern string defined twice');
    this.#known.add(text);
    this.#strings.push(text);
  }

  #instruction(opcode: number): Instruction {
    switch (opcode) {
      case Opcode.update:
        return this.#update();
      case Opcode.createObject:
        return { op: 'CreateObject', table: this.#string(), key: this.#key() };
      case Opcode.eraseObject:
        return { op: 'EraseObject', table: this.#string(), key: this.#key() };
      case Opcode.addTable:
        return this.#addTable();
      case Opcode.eraseTable:
        return { op: 'EraseTable', table: this.#string() };
      case Opcode.addColumn:
        return this.#addColumn();
      case Opcode.eraseColumn:
        return { op: 'EraseColumn', table: this.#string(), field: this.#string() };
      case Opcode.arrayInsert:
      case Opcode.arrayMove:
      case Opcode.arrayErase:
        return this.#arrayInstruction(opcode);
      default:
        return this.#otherPathInstruction(opcode);
    }
  }

  #update(): Update {
    const table = this.#string();
    const key = this.#key();
    const field = this.#string();
    const path = this.#path();
    const value = this.#payload();
    if (endsInIndex(path)) {
      return { op: 'Update', table, key, field, path, value, priorSize: this.#reader.readUint32() };
    }
    return { op: 'Update', table, key, field, path, value, isDefault: this.#reader.readUint8() !== 0 };
  }

  #arrayInstruction(opcode: number): Instruction {
    const table = this.#string();
    const key = this.#key();
    const field = this.#string();
    const path = this.#path();
    if (!endsInIndex(path)) throw this.#fail('list instruction without an index');
    const reader = this.#reader;
    if (opcode === Opcode.arrayInsert) {
      const value = this.#payload();
      return { op: 'ArrayInsert', table, key, field, path, value, priorSize: reader.readUint32() };
    }
    if (opcode === Opcode.arrayErase) {
      return { op: 'ArrayErase', table, key, field, path, priorSize: reader.readUint32() };
    }
    const destination = reader.readUint32();
    return { op: 'ArrayMove', table, key, field, path, destination, priorSize: reader.readUint32() };
  }

  #otherPathInstruction(opcode: number): Instruction {
    const { addInteger, clear, setInsert, setErase } = Opcode;
    if (opcode !== addInteger && opcode !== clear && opcode !== setInsert && opcode !== setErase) {
      throw this.#fail(`unknown instruction type ${opcode}`);
    }
    const table = this.#string();
    const key = this.#key();
    const field = this.#string();
    const path = this.#path();
    switch (opcode) {
      case addInteger:
        return { op: 'AddInteger', table, key, field, path, addend: this.#reader.readInt64() };
      case clear:
        return { op: 'Clear', table, key, field, path, collection: this.#collectionKind() };
      case setInsert:
        return { op: 'SetInsert', table, key, field, path, value: this.#payload() };
      case setErase:
        return { op: 'SetErase', table, key, field, path, value: this.#payload() };
    }
  }

  #addTable(): AddTable {
    const reader = this.#reader;
    const table = this.#string();
    const code = reader.readUint8();
    const kind = TABLE_KINDS[code];
    if (kind === undefined) throw this.#fail(`unknown table type ${code}`);
    if (kind === 'embedded') return { op: 'AddTable', table, kind };
    const field = this.#string();
    const typeCode = reader.readNumber();
    const type = PRIMARY_KEY_TYPES.get(typeCode);
    if (type === undefined) throw this.#fail(`invalid primary key type ${typeCode} of class '${table}'`);
    const primaryKey = { field, type, nullable: reader.readUint8() !== 0 };
    return { op: 'AddTable', table, kind, primaryKey };
  }

  #addColumn(): AddColumn {
    const reader = this.#reader;
    const table = this.#string();
    const field = this.#string();
    const typeCode = reader.readNumber();
    const type = COLUMN_TYPES.get(typeCode);
    if (type === undefined) throw this.#fail(`unsupported column type ${typeCode}`);
    const nullable = reader.readUint8() !== 0;
    const collection = this.#collectionKind();
    const column: ColumnDefinition =
      type === 'link'
        ? { type, nullable, collection, linkTarget: this.#string() }
        : { type, nullable, collection };
    // Only String keys can be applied (changeset-format.md §6), so the model has no place for others.
    if (collection === 'dictionary' && reader.readNumber() !== TypeCode.string) {
      throw this.#fail('dictionary keys that are not strings');
    }
    return { op: 'AddColumn', table, field, column };
  }

  #collectionKind(): CollectionKind {
    const code = this.#reader.readUint8();
    const kind = COLLECTION_KINDS[code];
    if (kind === undefined) throw this.#fail(`unsupported collection type ${code}`);
    return kind;
  }

  #string(): string {
    const index = this.#reader.readUint32();
    const text = this.#strings[index];
    if (text === undefined) throw this.#fail(`invalid interned string ${index}`);
    return text;
  }

  #path(): Path {
    const reader = this.#reader;
    const count = reader.readUint32();
    if (count === 0) return NO_PATH;
    // Each element takes a byte or more: refuse before making room.
    if (count > reader.remaining) throw this.#fail('truncated input');
    const path: (number | string)[] = [];
    for (let at = 0; at < count; at++) {
      const step = reader.readNumber();
      if (step > MAX_INDEX) throw this.#fail('list index out of range');
      // The reference takes any negative number for the marker of a key (changeset-format.md §4).
      path.push(step < 0 ? this.#string() : step);
    }
    return path;
  }

  #key(): PrimaryKey {
    const reader = this.#reader;
    const latest = this.#latestKey;
    if (latest !== undefined && reader.skipRepeated(this.#latestKeyStart, this.#latestKeyLength))
      return latest;
    const start = reader.position;
    const key = this.#newKey();
    this.#latestKey = key;
    this.#latestKeyStart = start;
    this.#latestKeyLength = reader.position - start;
    return key;
  }

  #newKey(): PrimaryKey {
    const reader = this.#reader;
    const code = reader.readNumber();
    switch (code) {
      case TypeCode.int:
        return { type: 'int', value: reader.readInt64() };
      case TypeCode.string:
        return { type: 'string', value: this.#string() };
      case TypeCode.objectId:
        return { type: 'objectId', value: reader.readHex(12) };
      case TypeCode.uuid:
        return { type: 'uuid', value: readUuid(reader) };
      case TypeCode.null:
        return NULL;
      case TypeCode.globalKey:
        return { type: 'globalKey', hi: reader.readUint64(), lo: reader.readUint64() };
      default:
        throw this.#fail(`unsupported object key type ${code}`);
    }
  }

  #payload(): Payload {
    const reader = this.#reader;
    const code = reader.readNumber();
    switch (code) {
      case TypeCode.null:
        return NULL;
      case TypeCode.int:
        return { type: 'int', value: reader.readInt64() };
      case TypeCode.string:
        return { type: 'string', value: reader.readText() };
      case TypeCode.bool:
        return reader.readUint8() !== 0 ? TRUE : FALSE;
      case TypeCode.double:
        return { type: 'double', value: reader.readDouble() };
      case TypeCode.date:
        return this.#date();
      case TypeCode.link:
        return this.#link();
      case TypeCode.objectId:
        return { type: 'objectId', value: reader.readHex(12) };
      case TypeCode.uuid:
        return { type: 'uuid', value: readUuid(reader) };
      case TypeCode.decimal128:
        return this.#decimal();
      case TypeCode.data:
        return { type: 'data', value: reader.readBytes() };
      case TypeCode.float:
        return { type: 'float', value: reader.readFloat() };
      default:
        return this.#marker(code);
    }
  }

  #marker(code: number): Payload {
    switch (code) {
      case TypeCode.object:
        return OBJECT;
      case TypeCode.dictionary:
        return DICTIONARY;
      case TypeCode.list:
        return LIST;
      case TypeCode.erased:
        return ERASED;
      case TypeCode.set:
        return SET;
      case TypeCode.globalKey:
        throw this.#fail('unsupported payload data type');
      default:
        throw this.#fail(`unsupported data type ${code}`);
    }
  }

  #link(): LinkValue {
    const table = this.#string();
    return { type: 'link', table, key: this.#key() };
  }

  #date(): DateValue {
    const seconds = this.#reader.readInt64();
    const nanoseconds = this.#reader.readNumber();
    // Parts of different sign abort the reference (changeset-format.md §5), so they must not travel on.
    const signsAgree = (seconds >= 0n && nanoseconds >= 0) || (seconds <= 0n && nanoseconds <= 0);
    if (!signsAgree || Math.abs(nanoseconds) >= 1_000_000_000) throw this.#fail('timestamp out of range');
    return { type: 'date', seconds, nanoseconds };
  }

  #decimal(): DecimalValue {
    const coefficient = this.#reader.readCoefficient();
    const exponent = this.#reader.readInt32();
    const sign = this.#reader.readInt32();
    if (
      coefficient >= DECIMAL_COEFFICIENT_LIMIT ||
      exponent < MIN_DECIMAL_EXPONENT ||
      exponent > MAX_DECIMAL_EXPONENT ||
      (sign !== 0 && sign !== 1)
    ) {
      throw this.#fail('decimal out of range');
    }
    return { type: 'decimal128', coefficient, exponent, negative: sign === 1 };
  }

  #fail(reason: string): BadChangesetError {
    return this.#reader.fail(reason);
  }
}

function endsInIndex(path: Path): boolean {
  return path.length > 0 && typeof path[path.length - 1] === 'number';
}

function readUuid(reader: ByteReader): string {
  const hex = reader.readHex(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
