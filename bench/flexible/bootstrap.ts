/** One subscription that shows a tenth of a large realm: by an index, without one, and for the second client who asks. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeChangeset, encodeChangeset } from '../../src/changeset/codec.ts';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { decompressBody } from '../../src/protocol/compression.ts';
import { parseDownloadBody } from '../../src/protocol/entry-bodies.ts';
import type { Body } from '../../src/protocol/messages.ts';
import { objectInstructions } from '../../src/server/flexible/object-instructions.ts';
import type { ServerRealm } from '../../src/store/server/contract.ts';
import { Api } from '../../test/server/support/api.ts';
import { megabytes, type Row, seconds, thousands } from '../measure.ts';
import { LightClient } from './light-client.ts';
import { fill, GROUPS, TABLE, withRealm } from './measurements.ts';
import { BenchServer } from './server.ts';

/** Instructions of one changeset of the comparison: about as many bytes as the server's. */
const INSTRUCTIONS_PER_CHANGESET = 40_000;

export async function benchBootstrap(
  directory: string,
  objects: number,
  profile: string | undefined,
): Promise<Row[]> {
  const data = join(directory, 'bootstrap');
  mkdirSync(data);
  const matching = objects / GROUPS;
  const plain = await withRealm(data, async (realm) => {
    const filled = await seconds(() => fill(realm, objects));
    console.error(`filled a flexible realm with ${thousands(objects)} objects in ${filled.toFixed(1)} s`);
    return plainSeconds(realm);
  });
  const inGroup = '(group == 3)';
  const middle = objects / 2;
  // The one with an index comes last: a realm keeps its indexes.
  const cases: readonly (readonly [name: string, query: string, indexes: readonly string[]])[] = [
    ['by a range of the key', `(_id >= ${middle} AND _id < ${middle + matching})`, []],
    ['by a property without an index', inGroup, []],
    ['by a property with an index', inGroup, ['group']],
  ];
  const rows: Row[] = [
    [
      `scan of ${thousands(objects)} objects in process, ${thousands(matching)} encoded`,
      `${plain.toFixed(2)} s`,
      'what the ratios below compare with',
    ],
  ];
  for (const [name, query, indexes] of cases) {
    for (const field of indexes) await withRealm(data, (realm) => realm.ensureIndex(TABLE, field));
    const server = await BenchServer.start(data, { indexes: { [TABLE]: indexes } }, profile);
    try {
      const first = await subscribe(server, query, matching);
      const second = await subscribe(server, query, matching);
      rows.push(
        [
          `bootstrap of ${thousands(matching)} of ${thousands(objects)} objects ${name}`,
          `${first.elapsed.toFixed(2)} s until MARK`,
          `${(first.elapsed / plain).toFixed(1)} × the scan; ${first.processor.toFixed(2)} s of the server's processor time, ${megabytes(first.bytes)} sent`,
        ],
        [
          'the same for a second client',
          `${second.elapsed.toFixed(2)} s until MARK`,
          `${second.processor.toFixed(2)} s of processor time; peak memory of the server ${megabytes(server.peakMemory())}`,
        ],
      );
    } finally {
      await server.stop();
    }
  }
  return rows;
}

type Measured = { readonly elapsed: number; readonly processor: number; readonly bytes: number };

async function subscribe(server: BenchServer, query: string, expected: number): Promise<Measured> {
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await LightClient.connect(server.url, accessToken);
  try {
    await client.bind();
    const bodies: Body[] = [];
    client.onDownload = ({ body }) => bodies.push(body);
    const before = server.processorSeconds();
    const elapsed = await seconds(() => client.subscribe(1, { [TABLE]: query }));
    const processor = server.processorSeconds() - before;
    const bytes = bodies.reduce((sum, body) => sum + body.bytes.byteLength, 0);
    const got = await countObjects(bodies);
    if (got !== expected) throw new Error(`a bootstrap brought ${got} objects instead of ${expected}`);
    return { elapsed, processor, bytes };
  } finally {
    client.close();
  }
}

async function countObjects(bodies: readonly Body[]): Promise<number> {
  let count = 0;
  for (const body of bodies) {
    for (const { changeset } of parseDownloadBody(await decompressBody(body))) {
      for (const { op } of decodeChangeset(changeset).instructions) if (op === 'CreateObject') count += 1;
    }
  }
  return count;
}

/** Seconds of reading every object and encoding those of one group, without a view, messages or a socket. */
async function plainSeconds(realm: ServerRealm): Promise<number> {
  const snapshot = realm.snapshot();
  try {
    return await seconds(async () => {
      let pending: Instruction[] = [];
      for (const { key, state } of snapshot.objects(TABLE)) {
        const group = state.fields.get('group');
        if (group?.type !== 'int' || group.value !== 3n) continue;
        const stated = { shows: () => true, mode: 'entering' } as const;
        pending.push(...objectInstructions(TABLE, key, state, snapshot.schema, stated));
        if (pending.length < INSTRUCTIONS_PER_CHANGESET) continue;
        encodeChangeset(pending);
        pending = [];
      }
      encodeChangeset(pending);
    });
  } finally {
    snapshot.close();
  }
}
