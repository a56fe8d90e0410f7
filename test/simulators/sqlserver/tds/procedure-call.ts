/** A request to call a stored procedure (RPC). */
import type { Datum, Parameter } from '../contract.ts';
import type { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';
import { readWireType } from './read-wire-type.ts';
import { readValue } from './values.ts';

/** Procedures that clients call by number. */
const NUMBERED: ReadonlyMap<number, string> = new Map([
  [1, 'sp_cursor'],
  [2, 'sp_cursoropen'],
  [3, 'sp_cursorprepare'],
  [4, 'sp_cursorexecute'],
  [5, 'sp_cursorprepexec'],
  [6, 'sp_cursorunprepare'],
  [7, 'sp_cursorfetch'],
  [8, 'sp_cursoroption'],
  [9, 'sp_cursorclose'],
  [10, 'sp_executesql'],
  [11, 'sp_prepare'],
  [12, 'sp_execute'],
  [13, 'sp_prepexec'],
  [14, 'sp_prepexecrpc'],
  [15, 'sp_unprepare'],
]);
const BY_NUMBER = 0xffff;
const OUTPUT = 0x01;
/** Stands in place of a name between two calls in one message. */
const NEXT_CALL = 0xff;

export type ProcedureCall = { readonly procedure: string; readonly parameters: readonly Parameter[] };

export function readProcedureCall(reader: ByteReader): ProcedureCall {
  const procedure = readProcedure(reader);
  reader.u16(); // whether to recompile or to leave the columns out, both of which a server may ignore
  const parameters: Parameter[] = [];
  while (reader.left > 0) parameters.push(readParameter(reader));
  return { procedure, parameters };
}

function readProcedure(reader: ByteReader): string {
  const length = reader.u16();
  if (length !== BY_NUMBER) return reader.text(length);
  const number = reader.u16();
  const procedure = NUMBERED.get(number);
  if (procedure === undefined) throw new ProtocolError(`there is no procedure number ${number}`);
  return procedure;
}

function readParameter(reader: ByteReader): Parameter {
  const length = reader.u8();
  if (length === NEXT_CALL)
    throw new ProtocolError('several calls in a message are not supported by the simulator');
  const name = reader.text(length);
  const output = (reader.u8() & OUTPUT) !== 0;
  const wire = readWireType(reader);
  const value: Datum = readValue(reader, wire, 'parameter');
  return { name, type: wire.type, value, ...(output ? { output } : {}) };
}
