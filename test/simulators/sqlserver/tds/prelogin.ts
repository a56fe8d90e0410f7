/** PRELOGIN: versions and, above all, whether the connection is encrypted. */
import { ProtocolError } from './protocol-error.ts';

const OPTION_HEADER_LENGTH = 5;
const TERMINATOR = 0xff;

const Option = { version: 0, encryption: 1, instance: 2, threadId: 3, multipleResults: 4 } as const;

/** What a side says of encryption. `off` asks for it during the login only. */
export const Encryption = { off: 0, on: 1, unsupported: 2, required: 3 } as const;

/** What the server offers: no TLS at all, TLS for whoever wants it, or TLS for everybody. */
export type EncryptionPolicy = 'unsupported' | 'offered' | 'required';

export type EncryptionAgreement =
  | { readonly answer: number; readonly tls: 'none' | 'login' | 'all' }
  /** The client cannot do what the server insists on. */
  | { readonly answer: number; readonly tls: 'refused' };

/** Reads what a client says of encryption; a client that says nothing does not support it. */
export function readPrelogin(message: Buffer): number {
  let encryption: number = Encryption.unsupported;
  for (let at = 0; ; at += OPTION_HEADER_LENGTH) {
    const option = message[at];
    if (option === TERMINATOR) return encryption;
    if (option === undefined || at + OPTION_HEADER_LENGTH > message.length) {
      throw new ProtocolError('the PRELOGIN message has no end');
    }
    const offset = message.readUInt16BE(at + 1);
    const length = message.readUInt16BE(at + 3);
    if (offset + length > message.length)
      throw new ProtocolError('a PRELOGIN option lies outside of its message');
    if (option === Option.encryption && length > 0) encryption = message[offset] ?? Encryption.unsupported;
  }
}

export function agreeOnEncryption(wanted: number, policy: EncryptionPolicy): EncryptionAgreement {
  if (policy === 'unsupported') {
    const impossible = wanted === Encryption.on || wanted === Encryption.required;
    return { answer: Encryption.unsupported, tls: impossible ? 'refused' : 'none' };
  }
  if (policy === 'required') {
    if (wanted === Encryption.unsupported) return { answer: Encryption.required, tls: 'refused' };
    return { answer: wanted === Encryption.on ? Encryption.on : Encryption.required, tls: 'all' };
  }
  if (wanted === Encryption.unsupported) return { answer: Encryption.unsupported, tls: 'none' };
  if (wanted === Encryption.off) return { answer: Encryption.off, tls: 'login' };
  return { answer: Encryption.on, tls: 'all' };
}

/** The server's PRELOGIN message. `version` is its major, minor and build number. */
export function writePrelogin(
  encryption: number,
  version: { readonly major: number; readonly minor: number; readonly build: number },
): Buffer {
  const { major, minor, build } = version;
  const options = [
    { option: Option.version, data: Buffer.from([major, minor, build >> 8, build & 0xff, 0, 0]) },
    { option: Option.encryption, data: Buffer.from([encryption]) },
    { option: Option.instance, data: Buffer.from([0]) },
    { option: Option.threadId, data: Buffer.alloc(0) },
    { option: Option.multipleResults, data: Buffer.from([0]) },
  ];
  let offset = options.length * OPTION_HEADER_LENGTH + 1;
  const headers = options.map(({ option, data }) => {
    const header = Buffer.alloc(OPTION_HEADER_LENGTH);
    header.writeUInt8(option, 0);
    header.writeUInt16BE(offset, 1);
    header.writeUInt16BE(data.length, 3);
    offset += data.length;
    return header;
  });
  return Buffer.concat([...headers, Buffer.from([TERMINATOR]), ...options.map(({ data }) => data)]);
}
