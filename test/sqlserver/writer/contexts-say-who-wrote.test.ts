import { expect, test } from 'vitest';
import { contextDigest, decodeContext, encodeContext } from '../../../connectors/sqlserver/change-context.ts';

test('a context says which adapter wrote what of which realm', () => {
  const context = encodeContext({ adapterName: 'prod', realmPath: '/müller', sequence: 2 ** 40 + 7 });
  expect(decodeContext(context)).toEqual({
    adapter: contextDigest('prod'),
    realm: contextDigest('/müller'),
    sequence: 2 ** 40 + 7,
  });
});

test('the server keeps all of it, however long the names are', () => {
  const name = 'x'.repeat(1000);
  expect(encodeContext({ adapterName: name, realmPath: name, sequence: 1 }).length).toBeLessThanOrEqual(128);
});

test('contexts of others are not taken for ours', () => {
  const ours = encodeContext({ adapterName: 'prod', realmPath: '/a', sequence: 1 });
  const other = Buffer.from(ours);
  other[0] = 0;
  for (const context of [null, Buffer.alloc(0), Buffer.alloc(ours.length), ours.subarray(1), other]) {
    expect(decodeContext(context)).toBeUndefined();
  }
});
