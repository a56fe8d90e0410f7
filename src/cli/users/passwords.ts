/** Where the password of `isthmus user create` and `isthmus user password` comes from. */
import { randomBytes } from 'node:crypto';
import { ConfigError } from '../../config/config-error.ts';
import { ask, isAtTerminal } from './terminal.ts';

/** 128 bits, so that nobody guesses it. */
const GENERATED_BYTES = 16;
/** Bytes; a longer input is no password. */
const LONGEST_INPUT = 4_096;

export type PasswordArguments = {
  readonly passwordStdin?: boolean | undefined;
  readonly generatePassword?: boolean | undefined;
};

export type ChosenPassword = { readonly password: string; readonly isGenerated: boolean };

export async function choosePassword(
  { passwordStdin = false, generatePassword = false }: PasswordArguments,
  signal: AbortSignal,
): Promise<ChosenPassword> {
  if (passwordStdin && generatePassword) {
    throw wrong('--password-stdin', 'a password is either read or made up');
  }
  if (generatePassword) {
    return { password: randomBytes(GENERATED_BYTES).toString('base64url'), isGenerated: true };
  }
  if (passwordStdin) return { password: await firstLine(), isGenerated: false };
  if (!isAtTerminal()) {
    throw wrong(
      'password',
      'there is no terminal to ask for one: give --password-stdin or --generate-password',
    );
  }
  const password = await ask('Password: ', { isSecret: true, signal });
  if ((await ask('Once more: ', { isSecret: true, signal })) !== password) {
    throw wrong('password', 'the two are not the same');
  }
  return { password, isGenerated: false };
}

/** Without the end of the line, which `echo` adds. */
async function firstLine(): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of process.stdin) {
    parts.push(part);
    length += part.length;
    if (length > LONGEST_INPUT) throw wrong('--password-stdin', 'standard input is too long for a password');
  }
  const [line = ''] = Buffer.concat(parts).toString('utf8').split(/\r?\n/, 1);
  if (line === '') throw wrong('--password-stdin', 'standard input is empty');
  return line;
}

function wrong(path: string, message: string): ConfigError {
  return new ConfigError('The command line', [{ path, message }]);
}
