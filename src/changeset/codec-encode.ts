/** Instructions to bytes (changeset-format.md §2–§7), in the order in which the reference writes them. */
import type { RealmSchema } from '../schema/definition.ts';
import type { PrimaryKey, PrimaryKeyType } from '../schema/value.ts';
import { BadChangesetError } from './bad-changeset-error.ts';
import { ByteWriter } from './byte-writer.ts';
import { innermostEmbeddedClass } from './embedded-path.ts';
import type { AddColumn, AddTable, Changeset, Instruction, Path, Payload } from './instruction.ts';
import { COLLECTION_CODE, COLUMN_TYPE_CODE, Opcode, TABLE_KIND_CODE, TypeCode } from './type-codes.ts';

const NOTHING = new Uint8Array(0);

/**
 * Writes instructions as a client does: each string is defined immediately before the first instruction that needs
 * it (changeset-format.md §2.1). Clients also define the class of the embedded object that an instruction changes;
 * with `schema` this is done too, so that the bytes equal theirs. Throws `BadChangesetError` for what has no form.
 */
export function encodeChangeset(instructions: readonly Instruction[], schema?: RealmSchema): Uint8Array {
  return new ChangesetEncoder([]).encodeFresh(instructions, schema);
}

/**
 * Writes a changeset as the merge passes it on: the whole table of strings first, unused ones included and new ones
 * at its end; without instructions, nothing at all (changeset-format.md §2.1).
 */
export function reencodeChangeset(changeset: Changeset): Uint8Array {
  if (changeset.instructions.length === 0) return NOTHING;
  return new ChangesetEncoder(changeset.strings).encodeTableFirst(changeset.instructions);
}

class ChangesetEncoder {
  readonly #writer = new ByteWriter();
  readonly #strings: string[] = [];
  readonly #indexes = new Map<string, number>();
  /** The latest key of an instruction and where it stands: instructions on one object follow one another. */
  #latestKey: PrimaryKey | undefined;
  #latestKeyStart = 0;
  #latestKeyEnd = 0;

  constructor(strings: readonly string[]) {
    for (const text of strings) this.#intern(text);
  }

  encodeFresh(instructions: readonly Instruction[], schema: RealmSchema | undefined): Uint8Array {
    const writer = this.#writer;
    for (const instruction of instructions) {
      const start = writer.length;
      const defined = this.#strings.length;
      if (schema !== undefined && 'path' in instruction && instruction.path.length > 0) {
        const embedded = innermostEmbeddedClass(schema, instruction);
        if (embedded !== undefined) this.#intern(embedded);
      }
      this.#write(instruction);
      // Clients name the (empty) link target of every column.
      if (instruction.op === 'AddColumn') this.#intern(instruction.column.linkTarget ?? '');
      if (this.#strings.length > defined) {
        const middle = writer.length;
        this.#writeDefinitions(writer, defined);
        writer.rotate(start, middle);
        this.#latestKey = undefined; // it has moved
      }
    }
    return writer.finish();
  }

  encodeTableFirst(instructions: readonly Instruction[]): Uint8Array {
    for (const instruction of instructions) this.#write(instruction);
    const whole = new ByteWriter();
    this.#writeDefinitions(whole, 0);
    whole.writeBytes(this.#writer);
    return whole.finish();
  }

  #intern(text: string): number {
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    const index = this.#strings.push(text) - 1;
    this.#indexes.set(text, index);
    return index;
  }

  #writeDefinitions(writer: ByteWriter, from: number): void {
    for (let index = from; index < this.#strings.length; index++) {
      writer.writeNumber(Opcode.internString);
      writer.writeNumber(index);
      writer.writeText(this.#strings[index]!);
    }
  }

  #write(instruction: Instruction): void {
    const writer = this.#writer;
    switch (instruction.op) {
      case 'Update':
        this.#onPath(Opcode.update, instruction);
        this.#payload(instruction.value);
        if (endsInIndex(instruction.path)) writer.writeNumber(instruction.priorSize ?? 0);
        else writer.writeNumber(instruction.isDefault === true ? 1 : 0);
        return;
      case 'CreateObject':
        this.#onObject(Opcode.createObject, instruction);
        return;
      case 'EraseObject':
        this.#onObject(Opcode.eraseObject, instruction);
        return;
      case 'ArrayInsert':
        this.#onListElement(Opcode.arrayInsert, instruction);
        this.#payload(instruction.value);
        writer.writeNumber(instruction.priorSize);
        return;
      case 'ArrayMove':
        this.#onListElement(Opcode.arrayMove, instruction);
        writer.writeNumber(instruction.destination);
        writer.writeNumber(instruction.priorSize);
        return;
      case 'ArrayErase':
        this.#onListElement(Opcode.arrayErase, instruction);
        writer.writeNumber(instruction.priorSize);
        return;
      case 'AddInteger':
        this.#onPath(Opcode.addInteger, instruction);
        writer.writeInt64(instruction.addend);
        return;
      case 'Clear':
        this.#onPath(Opcode.clear, instruction);
        writer.writeNumber(COLLECTION_CODE[instruction.collection]);
        return;
      case 'SetInsert':
        this.#onPath(Opcode.setInsert, instruction);
        this.#payload(instruction.value);
        return;
      case 'SetErase':
        this.#onPath(Opcode.setErase, instruction);
        this.#payload(instruction.value);
        return;
      case 'AddTable':
        this.#addTable(instruction);
        return;
      case 'EraseTable':
        writer.writeNumber(Opcode.eraseTable);
        this.#string(instruction.table);
        return;
      case 'AddColumn':
        this.#addColumn(instruction);
        return;
      case 'EraseColumn':
        writer.writeNumber(Opcode.eraseColumn);
        this.#string(instruction.table);
        this.#string(instruction.field);
        return;
    }
  }

  #addTable({ table, kind, primaryKey }: AddTable): void {
    const writer = this.#writer;
    writer.writeNumber(Opcode.addTable);
    this.#string(table);
    writer.writeNumber(TABLE_KIND_CODE[kind]);
    if (kind === 'embedded') return;
    if (primaryKey === undefined) {
      throw new BadChangesetError(`Bad changeset: class '${table}' is not embedded and has no primary key`);
    }
    this.#string(primaryKey.field);
    writer.writeNumber(TypeCode[primaryKey.type satisfies PrimaryKeyType]);
    writer.writeNumber(primaryKey.nullable ? 1 : 0);
  }

  #addColumn({ table, field, column }: AddColumn): void {
    const writer = this.#writer;
    writer.writeNumber(Opcode.addColumn);
    this.#string(table);
    this.#string(field);
    writer.writeNumber(COLUMN_TYPE_CODE[column.type]);
    writer.writeNumber(column.nullable ? 1 : 0);
    writer.writeNumber(COLLECTION_CODE[column.collection]);
    if (column.type === 'link') this.#string(column.linkTarget ?? '');
    if (column.collection === 'dictionary') writer.writeNumber(TypeCode.string);
  }

  #onObject(opcode: number, { table, key }: { readonly table: string; readonly key: PrimaryKey }): void {
    this.#writer.writeNumber(opcode);
    this.#string(table);
    if (key === this.#latestKey) {
      this.#writer.repeat(this.#latestKeyStart, this.#latestKeyEnd);
      return;
    }
    this.#latestKeyStart = this.#writer.length;
    this.#key(key);
    this.#latestKeyEnd = this.#writer.length;
    this.#latestKey = key;
  }

  #onPath(
    opcode: number,
    target: { readonly table: string; readonly key: PrimaryKey; readonly field: string; readonly path: Path },
  ): void {
    const writer = this.#writer;
    const { path } = target;
    this.#onObject(opcode, target);
    this.#string(target.field);
    writer.writeNumber(path.length);
    for (let at = 0; at < path.length; at++) {
      const step = path[at]!;
      if (typeof step === 'number') {
        writer.writeNumber(step);
      } else {
        writer.writeNumber(-1);
        this.#string(step);
      }
    }
  }

  #onListElement(
    opcode: number,
    target: { readonly table: string; readonly key: PrimaryKey; readonly field: string; readonly path: Path },
  ): void {
    if (!endsInIndex(target.path)) {
      throw new BadChangesetError(
        `Bad changeset: list instruction without an index on ${target.table}.${target.field}`,
      );
    }
    this.#onPath(opcode, target);
  }

  #string(text: string): void {
    this.#writer.writeNumber(this.#intern(text));
  }

  #key(key: PrimaryKey): void {
    const writer = this.#writer;
    writer.writeNumber(TypeCode[key.type]);
    switch (key.type) {
      case 'null':
        return;
      case 'int':
        writer.writeInt64(key.value);
        return;
      case 'string':
        this.#string(key.value);
        return;
      case 'objectId':
        writer.writeHex(key.value, 12);
        return;
      case 'uuid':
        writer.writeHex(key.value, 16);
        return;
      case 'globalKey':
        writer.writeUint64(key.hi);
        writer.writeUint64(key.lo);
        return;
    }
  }

  #payload(value: Payload): void {
    const writer = this.#writer;
    writer.writeNumber(TypeCode[value.type]);
    switch (value.type) {
      case 'int':
        writer.writeInt64(value.value);
        return;
      case 'string':
        writer.writeText(value.value);
        return;
      case 'bool':
        writer.writeNumber(value.value ? 1 : 0);
        return;
      case 'double':
        writer.writeDouble(value.value);
        return;
      case 'date':
        writer.writeInt64(value.seconds);
        writer.writeNumber(value.nanoseconds);
        return;
      case 'link':
        this.#string(value.table);
        this.#key(value.key);
        return;
      case 'objectId':
        writer.writeHex(value.value, 12);
        return;
      case 'uuid':
        writer.writeHex(value.value, 16);
        return;
      case 'decimal128':
        writer.writeCoefficient(value.coefficient);
        writer.writeNumber(value.exponent);
        writer.writeNumber(value.negative ? 1 : 0);
        return;
      case 'data':
        writer.writeData(value.value);
        return;
      case 'float':
        writer.writeFloat(value.value);
        return;
      default:
        // Null and the markers are their type code alone.
        return;
    }
  }
}

function endsInIndex(path: Path): boolean {
  return path.length > 0 && typeof path[path.length - 1] === 'number';
}
