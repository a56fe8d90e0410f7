/** Reader and writer of the recorded pairs' notation (spec/merge-rules.md §11). Test code only. */
import type { Instruction, Path, Payload } from '../../src/changeset/instruction.ts';
import type { ColumnDefinition } from '../../src/schema/definition.ts';
import type { PrimaryKey } from '../../src/schema/value.ts';

const TABLE = 'T';
const KEY: PrimaryKey = { type: 'int', value: 1n };
const FIELD = 'f';

const MARKERS: Readonly<Record<string, Payload>> = {
  null: { type: 'null' },
  obj: { type: 'object' },
  list: { type: 'list' },
  dict: { type: 'dictionary' },
  erased: { type: 'erased' },
  setv: { type: 'set' },
};

const COLUMNS: Readonly<Record<string, ColumnDefinition>> = {
  int: { type: 'int', nullable: false, collection: 'single' },
  str: { type: 'string', nullable: false, collection: 'single' },
  intn: { type: 'int', nullable: true, collection: 'single' },
  ints: { type: 'int', nullable: false, collection: 'list' },
};

const COLLECTIONS = { list: 'list', dict: 'dictionary', set: 'set' } as const;

export function parseList(text: string): Instruction[] {
  if (text === '(nothing)') return [];
  return text.split(';').map((part) => parse(part.trim()));
}

export function parse(text: string): Instruction {
  const [op = '', first = '', second = '', third = ''] = text.split(' ');
  const onPath = { table: TABLE, key: KEY, field: FIELD, path: parsePath(first) };
  switch (op) {
    case 'U':
      return typeof onPath.path.at(-1) === 'number'
        ? { op: 'Update', ...onPath, value: parseValue(second), priorSize: Number(third) }
        : { op: 'Update', ...onPath, value: parseValue(second), isDefault: third === '1' };
    case 'A':
      return { op: 'AddInteger', ...onPath, addend: BigInt(second) };
    case 'I':
      return { op: 'ArrayInsert', ...onPath, value: parseValue(second), priorSize: Number(third) };
    case 'E':
      return { op: 'ArrayErase', ...onPath, priorSize: Number(second) };
    case 'M':
      return { op: 'ArrayMove', ...onPath, destination: Number(second), priorSize: Number(third) };
    case 'C':
      return { op: 'Clear', ...onPath, collection: COLLECTIONS[second as keyof typeof COLLECTIONS] };
    case 'SI':
      return { op: 'SetInsert', ...onPath, value: parseValue(second) };
    case 'SE':
      return { op: 'SetErase', ...onPath, value: parseValue(second) };
    case 'CO':
      return { op: 'CreateObject', table: TABLE, key: { type: 'int', value: BigInt(first) } };
    case 'EO':
      return { op: 'EraseObject', table: TABLE, key: { type: 'int', value: BigInt(first) } };
    case 'AT':
      return addTable(first, second);
    case 'ET':
      return { op: 'EraseTable', table: first };
    case 'AC':
      return { op: 'AddColumn', table: first, field: second, column: parseColumn(third) };
    case 'EC':
      return { op: 'EraseColumn', table: first, field: second };
    default:
      throw new Error(`unknown notation: ${text}`);
  }
}

function addTable(table: string, kind: string): Instruction {
  if (kind === 'emb') return { op: 'AddTable', table, kind: 'embedded' };
  const type = kind === 'int' ? 'int' : 'string';
  return { op: 'AddTable', table, kind: 'topLevel', primaryKey: { field: '_id', type, nullable: false } };
}

function parseColumn(text: string): ColumnDefinition {
  if (text.startsWith('@')) {
    return { type: 'link', nullable: true, collection: 'single', linkTarget: text.slice(1) };
  }
  const column = COLUMNS[text];
  if (column === undefined) throw new Error(`unknown column notation: ${text}`);
  return column;
}

function parsePath(text: string): Path {
  if (text === '-') return [];
  return text.split('.').map((element) => (/^\d+$/.test(element) ? Number(element) : element));
}

function parseValue(text: string): Payload {
  if (text.startsWith('$')) return { type: 'string', value: text.slice(1) };
  if (text.startsWith('@')) {
    return { type: 'link', table: TABLE, key: { type: 'int', value: BigInt(text.slice(1)) } };
  }
  return MARKERS[text] ?? { type: 'int', value: BigInt(text) };
}

/** Results name only the class and field of an AddTable or AddColumn. */
export function formatList(instructions: readonly Instruction[]): string {
  return instructions.length === 0 ? '(nothing)' : instructions.map(format).join('; ');
}

export function format(instruction: Instruction): string {
  switch (instruction.op) {
    case 'Update': {
      const last = instruction.priorSize ?? (instruction.isDefault === true ? 1 : 0);
      return `U ${formatPath(instruction.path)} ${formatValue(instruction.value)} ${last}`;
    }
    case 'AddInteger':
      return `A ${formatPath(instruction.path)} ${instruction.addend}`;
    case 'ArrayInsert': {
      const { path, value, priorSize } = instruction;
      return `I ${formatPath(path)} ${formatValue(value)} ${priorSize}`;
    }
    case 'ArrayErase':
      return `E ${formatPath(instruction.path)} ${instruction.priorSize}`;
    case 'ArrayMove':
      return `M ${formatPath(instruction.path)} ${instruction.destination} ${instruction.priorSize}`;
    case 'Clear':
      return `C ${formatPath(instruction.path)} ${nameIn(COLLECTIONS, instruction.collection)}`;
    case 'SetInsert':
      return `SI ${formatPath(instruction.path)} ${formatValue(instruction.value)}`;
    case 'SetErase':
      return `SE ${formatPath(instruction.path)} ${formatValue(instruction.value)}`;
    case 'CreateObject':
      return `CO ${formatKey(instruction.key)}`;
    case 'EraseObject':
      return `EO ${formatKey(instruction.key)}`;
    case 'AddTable':
      return `AT ${instruction.table}`;
    case 'EraseTable':
      return `ET ${instruction.table}`;
    case 'AddColumn':
      return `AC ${instruction.table} ${instruction.field}`;
    case 'EraseColumn':
      return `EC ${instruction.table} ${instruction.field}`;
  }
}

/** For messages about instructions on several objects and fields. */
export function formatAll(instructions: readonly Instruction[]): string {
  return instructions
    .map((i) =>
      'key' in i ? `${i.table}[${formatKey(i.key)}].${'field' in i ? i.field : ''} ${format(i)}` : format(i),
    )
    .join('; ');
}

function formatPath(path: Path): string {
  return path.length === 0 ? '-' : path.join('.');
}

function formatKey(key: PrimaryKey): string {
  if (key.type !== 'int') throw new Error(`no notation for a key of type ${key.type}`);
  return `${key.value}`;
}

function formatValue(value: Payload): string {
  if (value.type === 'int') return `${value.value}`;
  if (value.type === 'string') return `$${value.value}`;
  if (value.type === 'link') return `@${formatKey(value.key)}`;
  const marker = Object.entries(MARKERS).find(([, payload]) => payload.type === value.type);
  if (marker === undefined) throw new Error(`no notation for a value of type ${value.type}`);
  return marker[0];
}

function nameIn<T>(names: Readonly<Record<string, T>>, value: T): string {
  const entry = Object.entries(names).find(([, candidate]) => candidate === value);
  if (entry === undefined) throw new Error('no notation for this value');
  return entry[0];
}
