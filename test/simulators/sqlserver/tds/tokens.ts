/** The tokens of answers. */
import type { Datum, ResultColumn, ServerMessage, SqlType } from '../contract.ts';
import type { ByteWriter } from './byte-writer.ts';
import { COLLATION } from './character-sets.ts';
import { TDS_VERSION } from './login.ts';
import { writeValue } from './values.ts';
import { type Framing, writeWireType } from './wire-type.ts';

const Token = {
  returnStatus: 0x79,
  columns: 0x81,
  error: 0xaa,
  info: 0xab,
  returnValue: 0xac,
  loginAcknowledgement: 0xad,
  row: 0xd1,
  rowWithNulls: 0xd2,
  environment: 0xe3,
} as const;

/** Which of the three tokens says that a statement is done. */
export const DoneToken = { batch: 0xfd, procedure: 0xfe, inProcedure: 0xff } as const;

export const DoneStatus = { more: 0x01, error: 0x02, count: 0x10, attention: 0x20 } as const;

const Environment = {
  database: 1,
  language: 2,
  packetSize: 4,
  collation: 7,
  begun: 8,
  committed: 9,
  rolledBack: 10,
  reset: 18,
} as const;

const COMMANDS = {
  select: 0xc1,
  insert: 0xc3,
  delete: 0xc4,
  update: 0xc5,
  merge: 0x117,
  other: 0,
} as const;
export type Command = keyof typeof COMMANDS;

const ROWVERSION_USER_TYPE = 80;
const NULLABLE = 0x01;
const UPDATEABLE = 0x08;
const IDENTITY = 0x10;
/** Below it, a message is no error. */
const LOWEST_ERROR_SEVERITY = 11;

export type Server = {
  readonly name: string;
  readonly program: string;
  readonly version: { readonly major: number; readonly minor: number; readonly build: number };
};

export function isError(message: ServerMessage): boolean {
  return message.severity >= LOWEST_ERROR_SEVERITY;
}

export function writeMessage(out: ByteWriter, server: Server, message: ServerMessage): void {
  out.u8(isError(message) ? Token.error : Token.info);
  out.withLength(() => {
    out.i32(message.number);
    out.u8(message.state);
    out.u8(message.severity);
    out.longText(message.message);
    out.shortText(server.name);
    out.shortText(message.procedure ?? '');
    out.u32(message.line);
  });
}

export function writeDone(
  out: ByteWriter,
  token: number,
  status: number,
  command: Command = 'other',
  rowCount = 0,
): void {
  out.u8(token);
  out.u16(status);
  out.u16(COMMANDS[command]);
  out.u64(BigInt(rowCount));
}

/** Writes COLMETADATA and says how the values of each column are framed. */
export function writeColumns(out: ByteWriter, columns: readonly ResultColumn[]): readonly Framing[] {
  out.u8(Token.columns);
  out.u16(columns.length);
  return columns.map(({ name, type, nullable, identity }) => {
    out.u32(type.kind === 'rowversion' ? ROWVERSION_USER_TYPE : 0);
    out.u16((nullable ? NULLABLE : 0) | (identity ? IDENTITY : 0) | UPDATEABLE);
    const framing = writeWireType(out, type, nullable);
    if (framing === 'textPointer') out.u8(0); // the name of the table has no parts
    out.shortText(name);
    return framing;
  });
}

/** ROW, or NBCROW with a bitmap of the columns that are NULL. */
export function writeRow(
  out: ByteWriter,
  columns: readonly ResultColumn[],
  framings: readonly Framing[],
  row: readonly Datum[],
): void {
  if (row.length !== columns.length) {
    throw new TypeError(`the engine gave ${row.length} values for ${columns.length} columns`);
  }
  const withNulls = row.includes(null);
  out.u8(withNulls ? Token.rowWithNulls : Token.row);
  if (withNulls) writeNulls(out, row);
  for (const [index, value] of row.entries()) {
    if (withNulls && value === null) continue;
    const column = columns[index];
    const framing = framings[index];
    if (column !== undefined && framing !== undefined) writeValue(out, column.type, framing, value);
  }
}

function writeNulls(out: ByteWriter, row: readonly Datum[]): void {
  for (let start = 0; start < row.length; start += 8) {
    let bits = 0;
    for (let bit = 0; bit < 8; bit++) if (row[start + bit] === null) bits |= 1 << bit;
    out.u8(bits);
  }
}

export function writeReturnStatus(out: ByteWriter, status: number): void {
  out.u8(Token.returnStatus);
  out.i32(status);
}

export function writeReturnValue(out: ByteWriter, name: string, type: SqlType, value: Datum): void {
  out.u8(Token.returnValue);
  out.u16(0); // the ordinal, which clients do not look at
  out.shortText(name);
  out.u8(1); // an output parameter
  out.u32(0);
  out.u16(NULLABLE);
  writeValue(out, type, writeWireType(out, type, true), value);
}

const writeEnvironment = (out: ByteWriter, kind: number, write: () => void): void => {
  out.u8(Token.environment);
  out.withLength(() => {
    out.u8(kind);
    write();
  });
};

const writeTexts = (out: ByteWriter, kind: number, now: string, before: string): void =>
  writeEnvironment(out, kind, () => {
    out.shortText(now);
    out.shortText(before);
  });

export const writeDatabase = (out: ByteWriter, now: string, before: string): void =>
  writeTexts(out, Environment.database, now, before);

export const writeLanguage = (out: ByteWriter, now: string): void =>
  writeTexts(out, Environment.language, now, '');

export const writePacketSize = (out: ByteWriter, now: number, before: number): void =>
  writeTexts(out, Environment.packetSize, String(now), String(before));

export const writeCollation = (out: ByteWriter): void =>
  writeEnvironment(out, Environment.collation, () => {
    out.u8(COLLATION.length);
    out.bytes(COLLATION);
    out.u8(0);
  });

/** A transaction has begun; the client puts `id` into its requests from now on. */
export const writeTransactionBegun = (out: ByteWriter, id: bigint): void =>
  writeEnvironment(out, Environment.begun, () => {
    out.u8(8);
    out.u64(id);
    out.u8(0);
  });

export const writeTransactionEnded = (out: ByteWriter, how: 'committed' | 'rolledBack', id: bigint): void =>
  writeEnvironment(out, Environment[how], () => {
    out.u8(0);
    out.u8(8);
    out.u64(id);
  });

export const writeReset = (out: ByteWriter): void =>
  writeEnvironment(out, Environment.reset, () => {
    out.u8(0);
    out.u8(0);
  });

export function writeLoginAcknowledgement(out: ByteWriter, { program, version }: Server): void {
  out.u8(Token.loginAcknowledgement);
  out.withLength(() => {
    out.u8(1); // T-SQL
    out.bytes(Uint8Array.of(TDS_VERSION >>> 24, 0, 0, TDS_VERSION & 0xff));
    out.shortText(program);
    out.bytes(Uint8Array.of(version.major, version.minor, version.build >> 8, version.build & 0xff));
  });
}
