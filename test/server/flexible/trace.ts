/** What goes over the connections of the simulation, in words, when ISTHMUS_TEST_TRACE is set. */
import { decodeChangeset } from '../../../src/changeset/codec.ts';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { decompressBody } from '../../../src/protocol/compression.ts';
import { parseDownloadBody, parseUploadBody } from '../../../src/protocol/entry-bodies.ts';
import type { Body, ClientMessage, ServerMessage } from '../../../src/protocol/messages.ts';
import { keyToken } from '../../../src/schema/value.ts';

const isOn = process.env.ISTHMUS_TEST_TRACE !== undefined;

export function trace(who: string, what: () => string): void {
  if (isOn) process.stdout.write(`${who}: ${what()}\n`);
}

export function traceMessage(who: string, message: ClientMessage | ServerMessage): void {
  if (!isOn) return;
  const { body, ...head } = 'body' in message ? message : { ...message, body: undefined };
  const text = JSON.stringify(head, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  if (body === undefined) trace(who, () => text);
  else {
    readBody(body, message.type).then(
      (lines) => trace(who, () => [text, ...lines].join('\n    ')),
      (error: unknown) => trace(who, () => `${text} ${error}`),
    );
  }
}

export const instructionText = (instruction: Instruction): string => {
  const { op, ...rest } = instruction;
  if (!('key' in instruction)) return `${op} ${instruction.table}`;
  const { key, table } = instruction;
  const field = 'field' in instruction ? `.${instruction.field}` : '';
  const path = 'path' in instruction ? instruction.path.map((step) => `[${step}]`).join('') : '';
  const others = Object.entries(rest).filter(([name]) => !['table', 'key', 'field', 'path'].includes(name));
  const values = JSON.stringify(Object.fromEntries(others), (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  return `${op} ${table}[${keyToken(key)}]${field}${path} ${values}`;
};

async function readBody(body: Body, type: string): Promise<string[]> {
  const bytes = await decompressBody(body);
  const entries = type === 'upload' ? parseUploadBody(bytes) : parseDownloadBody(bytes);
  return entries.flatMap(({ changeset, ...head }) => [
    JSON.stringify(head),
    ...decodeChangeset(changeset).instructions.map((instruction) => `  ${instructionText(instruction)}`),
  ]);
}
