/**
 * The state of an object as a client is sent it: whatever the client's object holds, it holds what the server says
 * afterwards, and nothing of what the client may not see.
 */
import { expect, test } from 'vitest';
import { decodeChangeset, encodeChangeset } from '../../../src/changeset/codec.ts';
import { objectInstructions } from '../../../src/server/flexible/object-instructions.ts';
import { applyInstructions } from '../../../src/store/state/apply.ts';
import type { ObjectState } from '../../../src/store/state/object-state.ts';
import { MemoryView } from '../../../src/store/state/view.ts';
import { Random, testSeed } from '../../support/random.ts';
import { asRead, randomObject, SCHEMA_INSTRUCTIONS, unwritten } from './random-object.ts';

const RUNS = 300;
const TABLE = 'Thing';
const KEY = { type: 'int', value: 1n } as const;

function clientWith(prior: ObjectState | undefined): MemoryView {
  const client = new MemoryView();
  applyInstructions(client, SCHEMA_INSTRUCTIONS);
  if (prior === undefined) return client;
  const { fields } = client.createObject(TABLE, KEY);
  for (const [field, value] of prior.fields) fields.set(field, structuredClone(value));
  return client;
}

function check(mode: 'entering' | 'restating', draw: (random: Random) => MemoryView): void {
  const first = testSeed();
  for (let seed = first; seed < first + RUNS; seed += 1) {
    const random = new Random(seed);
    const client = draw(random);
    const { schema } = client;
    const wanted = randomObject(schema, random);
    const hidden = new Set([...(schema.get(TABLE)?.columns.keys() ?? [])].filter(() => random.chance(0.1)));
    const shows = (field: string): boolean => !hidden.has(field);
    const stated = objectInstructions(TABLE, KEY, wanted, schema, { shows, mode });
    applyInstructions(client, decodeChangeset(encodeChangeset(stated)).instructions);
    const shown = asRead(schema, wanted);
    for (const field of hidden) {
      const definition = schema.get(TABLE)?.columns.get(field);
      if (definition !== undefined) shown[field] = unwritten(definition, schema);
    }
    const held = client.object(TABLE, KEY);
    expect(held && asRead(schema, held), `ISTHMUS_TEST_SEED=${seed}`).toEqual(shown);
  }
}

test('an object that the client holds otherwise becomes what it is', () => {
  check('restating', (random) => clientWith(randomObject(clientWith(undefined).schema, random)));
});

test('an object that the client does not hold is made as it is', () => {
  check('entering', () => clientWith(undefined));
  check('restating', () => clientWith(undefined));
});
