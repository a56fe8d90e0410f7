import { expect, test } from 'vitest';
import { userVariable } from '../../../src/server/rules/user-variables.ts';
import { userOf } from './support/users.ts';

test.each<readonly [unknown, unknown]>([
  ['ops', { type: 'string', value: 'ops' }],
  [3, { type: 'int', value: 3n }],
  [1.5, { type: 'double', value: 1.5 }],
  [true, { type: 'bool', value: true }],
  [null, { type: 'null' }],
  [
    [1, 'a', null],
    [{ type: 'int', value: 1n }, { type: 'string', value: 'a' }, { type: 'null' }],
  ],
  [[], []],
  [[{ a: 1 }, [2], 'b'], [{ type: 'string', value: 'b' }]],
  [{ $oid: '0123456789abcdef01234567' }, { type: 'objectId', value: '0123456789abcdef01234567' }],
  [
    { $uuid: '01234567-89ab-cdef-0123-456789abcdef' },
    { type: 'uuid', value: '01234567-89ab-cdef-0123-456789abcdef' },
  ],
  [{ $numberLong: '9007199254740993' }, { type: 'int', value: 9007199254740993n }],
  [{ $date: '1970-01-01T00:00:01Z' }, { type: 'date', seconds: 1n, nanoseconds: 0 }],
  [new Date(2000), { type: 'date', seconds: 2n, nanoseconds: 0 }],
  [{ type: 'link', table: 'A', key: 1 }, undefined],
  [{ $oid: 'garbage' }, undefined],
  [{ $unknown: 1 }, undefined],
  [{ a: 1 }, undefined],
  [undefined, undefined],
  [() => 1, undefined],
])('%j', (value, expected) => {
  const user = userOf('ada', { customData: { value } });
  expect(userVariable(user, ['user', 'custom_data', 'value'])).toEqual(expected);
});

test('nothing that is not the user’s own data is reached', () => {
  const user = userOf('ada', { customData: { text: 'abc', list: [1] } });
  for (const path of [
    ['constructor'],
    ['__proto__'],
    ['text', 'length'],
    ['list', 'length'],
    ['list', '0'],
  ]) {
    expect(userVariable(user, ['user', 'custom_data', ...path])).toBeUndefined();
  }
  expect(userVariable(user, ['user', 'isAdmin'])).toBeUndefined();
  expect(userVariable(user, ['server', 'id'])).toBeUndefined();
});

test('identities are lists', () => {
  const user = userOf('ada', { identities: [{ id: '1', provider: 'anon-user' }] });
  expect(userVariable(user, ['user', 'identities', 'provider_type'])).toEqual([
    { type: 'string', value: 'anon-user' },
  ]);
});
