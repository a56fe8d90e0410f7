/**
 * Keeps a JSON file equal to a realm:
 *
 *     node examples/mirror-to-json.ts realm://127.0.0.1:9090 admin secret /products products.json
 *
 * The file holds the position of the last transaction with what came of it, so that after any crash a transaction that
 * comes again is known, and the mirror goes on where it was.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Adapter, type InstructionObject, logIn } from '../src/index.ts';

type Objects = Record<string, Record<string, unknown>>;

const [serverUrl = '', username = '', password = '', realmPath = '', file = 'mirror.json'] =
  process.argv.slice(2);
const mirror: { position: number; objects: Record<string, Objects> } = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { position: 0, objects: {} };

function mirrorInstruction(instruction: InstructionObject): void {
  mirror.objects[instruction.object_type] ??= {};
  const objects: Objects = mirror.objects[instruction.object_type] ?? {};
  if (instruction.type === 'CLEAR') mirror.objects[instruction.object_type] = {};
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
    const position = adapter.position(path) ?? 0;
    if (position > mirror.position) {
      current.forEach(mirrorInstruction);
      mirror.position = position;
      writeFileSync(`${file}.new`, JSON.stringify(mirror, plain, 2));
      renameSync(`${file}.new`, file);
    }
    adapter.advance(path);
  }
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void adapter.close());
