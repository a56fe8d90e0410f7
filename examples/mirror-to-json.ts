/**
 * Keeps a JSON file equal to a realm:
 *
 *     node examples/mirror-to-json.ts realm://127.0.0.1:9090 admin secret /products products.json
 *
 * A transaction is advanced past only after the file holds it, so that the mirror goes on where it was after any crash.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Adapter, type InstructionObject, logIn } from '../src/index.ts';

type Objects = Record<string, Record<string, unknown>>;

const [serverUrl = '', username = '', password = '', realmPath = '', file = 'mirror.json'] =
  process.argv.slice(2);
const mirror: Record<string, Objects> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};

function mirrorInstruction(instruction: InstructionObject): void {
  mirror[instruction.object_type] ??= {};
  const objects: Objects = mirror[instruction.object_type] ?? {};
  if (instruction.type === 'CLEAR') mirror[instruction.object_type] = {};
  if (!('identity' in instruction)) return;
  const identity = String(instruction.identity);
  if (instruction.type === 'DELETE') delete objects[identity];
  if (instruction.type === 'INSERT' || instruction.type === 'SET') {
    objects[identity] = { ...objects[identity], ...instruction.values };
  }
  if (!('property' in instruction)) return;
  const list: unknown[] = [objects[identity]?.[instruction.property] ?? []].flat();
  if (instruction.type === 'LIST_SET') list[instruction.list_index] = instruction.object_identity;
  if (instruction.type === 'LIST_INSERT') list.splice(instruction.list_index, 0, instruction.object_identity);
  if (instruction.type === 'LIST_ERASE') list.splice(instruction.list_index, 1);
  if (instruction.type === 'LIST_CLEAR') list.length = 0;
  objects[identity] = { ...objects[identity], [instruction.property]: list };
}

const plain = (_: string, value: unknown): unknown =>
  typeof value === 'bigint'
    ? String(value)
    : value instanceof ArrayBuffer
      ? Buffer.from(value).toString('base64')
      : value;

const admin = await logIn({
  baseUrl: serverUrl,
  credentials: { provider: 'local-userpass', username, password },
});
const adapter = new Adapter(`${file}.replica`, serverUrl, admin, realmPath, (path) => {
  for (let current = adapter.current(path); current !== undefined; current = adapter.current(path)) {
    current.forEach(mirrorInstruction);
    writeFileSync(`${file}.new`, JSON.stringify(mirror, plain, 2));
    renameSync(`${file}.new`, file);
    adapter.advance(path);
  }
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void adapter.close());
