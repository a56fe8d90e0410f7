/** LOGIN7: who wants in, and where to. */
import { ProtocolError } from './protocol-error.ts';

/** TDS 7.4, as SQL Server 2012 and newer speak it; nothing older is spoken here. */
export const TDS_VERSION = 0x74000004;

/** The fixed part ends with the longest length of a security blob. */
const FIXED_LENGTH = 94;
const TDS_VERSION_OFFSET = 4;
const PACKET_SIZE_OFFSET = 8;
const SECOND_FLAGS_OFFSET = 25;
const INTEGRATED_SECURITY = 0x80;

/** Where the offset and the length of each variable part stand. */
const Field = {
  host: 36,
  user: 40,
  password: 44,
  program: 48,
  database: 68,
} as const;

export type LoginRequest = {
  readonly tdsVersion: number;
  readonly packetSize: number;
  readonly integratedSecurity: boolean;
  readonly host: string;
  readonly user: string;
  readonly password: string;
  readonly program: string;
  /** Absent when the client leaves it to the server. */
  readonly database: string | undefined;
};

/** Feature extensions are read over: none is acknowledged, and clients do without those. */
export function readLogin(message: Buffer): LoginRequest {
  if (message.length < FIXED_LENGTH || message.readUInt32LE(0) > message.length) {
    throw new ProtocolError('the LOGIN7 message is shorter than it says');
  }
  const field = (at: number): Buffer => {
    const offset = message.readUInt16LE(at);
    const end = offset + message.readUInt16LE(at + 2) * 2;
    if (end > message.length) throw new ProtocolError('a field of the LOGIN7 message lies outside of it');
    return message.subarray(offset, end);
  };
  const text = (at: number): string => field(at).toString('utf16le');
  const database = text(Field.database);
  return {
    tdsVersion: message.readUInt32LE(TDS_VERSION_OFFSET),
    packetSize: message.readUInt32LE(PACKET_SIZE_OFFSET),
    integratedSecurity: (message.readUInt8(SECOND_FLAGS_OFFSET) & INTEGRATED_SECURITY) !== 0,
    host: text(Field.host),
    user: text(Field.user),
    password: clearPassword(field(Field.password)),
    program: text(Field.program),
    database: database === '' ? undefined : database,
  };
}

/** A password is veiled, not encrypted: the halves of each byte change places, then it is combined with 0xA5. */
function clearPassword(veiled: Buffer): string {
  const clear = Buffer.from(veiled);
  for (const [index, byte] of clear.entries()) {
    const swapped = byte ^ 0xa5;
    clear[index] = ((swapped & 0x0f) << 4) | (swapped >> 4);
  }
  return clear.toString('utf16le');
}
