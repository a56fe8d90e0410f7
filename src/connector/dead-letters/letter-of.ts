/** Makes a dead letter of a realm's transaction that the database refuses, and the report of a connector that stops there. */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { type Rehearsal, tableId } from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { LetterReason, NewLetter, ObjectName } from './contract.ts';
import { letterText } from './letter-text.ts';

/** A letter names the first of them; its payload has all. */
const MOST_OBJECTS = 100;
/** Statements are cut in messages; the letter has them whole. */
const LONGEST_STATEMENT = 500;

export type Refusal = {
  readonly realmPath: string;
  readonly sequence: number;
  readonly instructions: readonly MergedInstruction[];
  readonly error: Error;
  /** Absent when no statement could be made. */
  readonly rehearsal: Rehearsal | undefined;
};

export function letterOf(
  refusal: Refusal,
  mapping: Mapping,
  isSecret: (className: string, property: string) => boolean,
): NewLetter {
  return {
    direction: 'toSql',
    realmPath: refusal.realmPath,
    sequence: refusal.sequence,
    objects: objectsOf(refusal, mapping),
    reason: reasonOf(refusal.error),
    payload: letterText(refusal.instructions, isSecret),
    statements: refusal.rehearsal?.statements ?? [],
  };
}

/** What an operator needs to find the fault: realm, object, statement and reason. */
export function reportOf(refusal: Refusal, mapping: Mapping): string {
  const at = objectAtFault(refusal, mapping);
  const failed = refusal.rehearsal?.failed?.statement;
  const where = at === undefined ? '' : ` at ${at.class} ${at.key}`;
  const statement =
    failed === undefined
      ? ''
      : `; the statement is ${cut(failed.sql)} with ${cut(JSON.stringify(failed.values))}`;
  return (
    `transaction ${refusal.sequence} of realm ${refusal.realmPath} cannot be written to the database${where}: ` +
    `${refusal.error.message}${statement}`
  );
}

export function reasonOf(error: Error): LetterReason {
  if (!(error instanceof ApplyError)) return { message: error.message };
  return { message: error.message, sqlState: error.sqlState, ...error.place };
}

export function classesOf(instructions: readonly MergedInstruction[]): Set<string> {
  return new Set(instructions.map(classOf));
}

function classOf(instruction: MergedInstruction): string {
  return instruction.type === 'ADD_TYPE' ? instruction.definition.name : instruction.table;
}

function objectsOf(refusal: Refusal, mapping: Mapping): ObjectName[] {
  const named = new Map<string, ObjectName>();
  const add = (object: ObjectName): void => void named.set(`${object.class}\0${object.key}`, object);
  const atFault = objectAtFault(refusal, mapping);
  if (atFault !== undefined) add(atFault);
  for (const instruction of refusal.instructions) {
    if (named.size >= MOST_OBJECTS) break;
    if ('key' in instruction) add({ class: instruction.table, key: keyText(instruction.key) });
  }
  return [...named.values()];
}

function objectAtFault({ error, rehearsal }: Refusal, mapping: Mapping): ObjectName | undefined {
  if (error instanceof DataError) return error.object;
  if (rehearsal?.failed === undefined) return undefined;
  const { table, key } = rehearsal.failed;
  const className = mapping.forTable(tableId(table))?.className ?? table.name;
  return { class: className, key: key.map((text) => text ?? 'NULL').join('-') };
}

/** A key as people write it; never its type. */
export function keyText(key: PrimaryKey): string {
  switch (key.type) {
    case 'null':
      return 'null';
    case 'globalKey':
      return `${key.hi}-${key.lo}`;
    default:
      return String(key.value);
  }
}

function cut(text: string): string {
  return text.length <= LONGEST_STATEMENT ? text : `${text.slice(0, LONGEST_STATEMENT)}…`;
}
