import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compileRules } from '../../../src/server/rules/compile-rules.ts';
import type { RuleUser } from '../../../src/server/rules/contract.ts';
import { GrantStore } from '../../../src/server/rules/grant-store.ts';
import type { PathRule } from '../../../src/server/rules/options.ts';
import { PathPermissions, type PermissionChange } from '../../../src/server/rules/path-permissions.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { userOf } from './support/users.ts';

const ada = userOf('0a'.repeat(12), { name: 'ada@example.com' });
const bob = userOf('0b'.repeat(12), { name: 'bob@example.com' });
const eve = userOf('0e'.repeat(12), { name: 'eve@example.com' });
const admin = userOf('ad'.repeat(12), { isAdmin: true });
const notes = `/${ada.id}/notes`;

async function scene(options: { paths?: readonly PathRule[]; directory?: string; now?: () => number } = {}) {
  const users = new Map<string, RuleUser>([ada, bob, eve, admin].map((user) => [user.id, user]));
  const permissions = new PathPermissions({
    rules: compileRules({ rules: { paths: options.paths ?? [] } }).paths,
    grants: new GrantStore(join(options.directory ?? (await temporaryDirectory()), 'permissions.sqlite')),
    users: {
      byId: (id) => users.get(id),
      byName: (name) => [...users.values()].find((user) => user.name === name.toLowerCase()),
    },
    now: options.now ?? (() => 1_000),
  });
  onTestFinished(() => permissions.close());
  return { permissions, users };
}

const denied = { code: 'permission', fault: 'denied' };

describe('granting', () => {
  test('each level includes the lower ones, and only manage grants further', async () => {
    const { permissions } = await scene();
    for (const level of ['none', 'read', 'write'] as const) {
      await permissions.grant(ada, notes, { id: bob.id }, level);
      await expect(permissions.grant(bob, notes, { id: eve.id }, 'read')).rejects.toMatchObject(denied);
      await expect(permissions.revoke(bob, notes, { id: bob.id })).rejects.toMatchObject(denied);
      await expect(permissions.grantsOn(bob, notes)).rejects.toMatchObject(denied);
      await expect(permissions.offer(bob, notes, 'read')).rejects.toMatchObject(denied);
    }
    await permissions.grant(ada, notes, { id: bob.id }, 'manage');
    await permissions.grant(bob, notes, { id: eve.id }, 'write');
    expect(await permissions.access(eve, notes)).toBe('write');
    expect((await permissions.grantsOn(eve, notes).catch(() => [])).length).toBe(0);
    expect((await permissions.grantsOn(bob, notes)).map(({ access }) => access)).toEqual(['manage', 'write']);
  });

  test('an owner has no say over the realms of others, nor over system realms', async () => {
    const { permissions } = await scene();
    const others = [`/${bob.id}/notes`, '/news', '/', `/${ada.id.slice(1)}/x`, `/${ada.id}x`];
    for (const path of [...others, '/__admin', '/__permission']) {
      await expect(permissions.grant(ada, path, { id: ada.id }, 'read')).rejects.toMatchObject(denied);
    }
    await expect(permissions.grant(admin, '/__admin', { id: ada.id }, 'read')).rejects.toMatchObject(denied);
  });

  test('nobody takes a realm from its owner', async () => {
    const { permissions } = await scene();
    await permissions.grant(ada, notes, { id: bob.id }, 'manage');
    for (const grantor of [bob, admin]) {
      await expect(permissions.grant(grantor, notes, { id: ada.id }, 'none')).rejects.toMatchObject({
        fault: 'invalid',
      });
    }
    await permissions.grant(bob, notes, { id: '*' }, 'none');
    await permissions.grant(bob, '*', { id: ada.id }, 'none');
    await permissions.grant(admin, '*', { id: ada.id }, 'none');
    expect(await permissions.access(ada, notes)).toBe('manage');
  });

  test('what was granted to a user goes before what everybody may, also when it is less', async () => {
    const { permissions } = await scene({ paths: [{ path: '/news', access: 'write' }] });
    await permissions.grant(admin, '/news', { id: bob.id }, 'none');
    expect([await permissions.access(bob, '/news'), await permissions.access(eve, '/news')]).toEqual([
      'none',
      'write',
    ]);
    expect(await permissions.revoke(admin, '/news', { id: bob.id })).toBe(true);
    expect(await permissions.revoke(admin, '/news', { id: bob.id })).toBe(false);
    expect(await permissions.access(bob, '/news')).toBe('write');
  });

  test('a name means the user who has it, or the one who will', async () => {
    const { permissions, users } = await scene();
    users.delete(eve.id);
    await permissions.grant(ada, notes, { name: 'Bob@Example.com' }, 'write');
    await permissions.grant(ada, notes, { name: 'eve@example.com' }, 'read');
    expect(await permissions.access(bob, notes)).toBe('write');
    expect(await permissions.access(bob, `/${ada.id}/other`)).toBe('none');

    users.set(eve.id, eve);
    expect(await permissions.access(eve, notes)).toBe('read');
    // Once taken up it is hers, whoever has the name later.
    const { name: _name, ...nameless } = eve;
    expect(await permissions.access(nameless, notes)).toBe('read');
    expect(await permissions.access(userOf('0f'.repeat(12), { name: 'eve@example.com' }), notes)).toBe(
      'none',
    );
    await permissions.revoke(ada, notes, { name: 'eve@example.com' });
    expect(await permissions.access(eve, notes)).toBe('none');
  });

  test('an id must be of a user, unless it is taken back', async () => {
    const { permissions } = await scene();
    await expect(permissions.grant(ada, notes, { id: 'nobody' }, 'read')).rejects.toMatchObject({
      fault: 'unknown-user',
    });
    expect(await permissions.revoke(ada, notes, { id: 'nobody' })).toBe(false);
  });

  test('on all realms reaches what the grantor owns or manages, and nothing else', async () => {
    const { permissions } = await scene();
    await permissions.grant(ada, '*', { id: bob.id }, 'write');
    await permissions.grant(admin, '/team', { id: ada.id }, 'manage');
    const levels = async (): Promise<string[]> =>
      Promise.all(
        [notes, `/${ada.id}`, '/team', '/news', `/${eve.id}`].map((p) => permissions.access(bob, p)),
      );
    expect(await levels()).toEqual(['write', 'write', 'write', 'none', 'none']);
    await permissions.grant(admin, '/team', { id: ada.id }, 'write');
    expect(await levels()).toEqual(['write', 'write', 'none', 'none', 'none']);
    await permissions.grant(admin, '*', { id: bob.id }, 'read');
    expect(await levels()).toEqual(['write', 'write', 'read', 'read', 'read']);
    await permissions.grant(ada, notes, { id: bob.id }, 'none');
    expect((await levels())[0]).toBe('none');
  });

  test('lists what a user was given, and gave', async () => {
    const { permissions } = await scene();
    await permissions.grant(ada, notes, { id: bob.id }, 'read');
    await permissions.grant(ada, '*', { id: '*' }, 'read');
    await permissions.grant(admin, '/team', { name: 'bob@example.com' }, 'write');
    const listed = (grants: readonly { path: string; access: string }[]) =>
      grants.map(({ path, access }) => `${path} ${access}`);
    expect(listed(permissions.grantedTo(bob))).toEqual([`${notes} read`, '/team write']);
    expect(listed(permissions.grantedBy(ada))).toEqual(['* read', `${notes} read`]);
    expect(listed(permissions.grantedTo(ada))).toEqual([]);
  });

  test('is told to whoever listens, with the path and the user where it concerns no others', async () => {
    const { permissions } = await scene();
    const changes: PermissionChange[] = [];
    const stop = permissions.onChanged((change) => changes.push(change));
    const told = async (change: Promise<unknown>): Promise<readonly PermissionChange[]> => {
      await change;
      return changes.splice(0);
    };
    const [one, everyone] = [{ id: bob.id }, { id: '*' }];
    expect(await told(permissions.grant(ada, notes, one, 'read'))).toEqual([{ path: notes, userId: bob.id }]);
    expect(await told(permissions.grant(ada, notes, one, 'manage'))).toEqual([{ path: notes }]);
    expect(await told(permissions.grant(ada, notes, one, 'read'))).toEqual([{ path: notes }]);
    expect(await told(permissions.revoke(ada, notes, one))).toEqual([{ path: notes, userId: bob.id }]);
    expect(await told(permissions.revoke(ada, notes, one))).toEqual([]);
    expect(await told(permissions.grant(ada, notes, everyone, 'read'))).toEqual([{ path: notes }]);
    expect(await told(permissions.grant(ada, '*', one, 'manage'))).toEqual([{ userId: bob.id }]);
    expect(await told(permissions.grant(ada, '*', everyone, 'read'))).toEqual([{}]);
    expect(await told(permissions.grant(ada, notes, { name: 'nobody' }, 'read'))).toEqual([]);
    stop();
    expect(await told(permissions.revoke(ada, '*', everyone))).toEqual([]);
  });

  test('survives a restart', async () => {
    const directory = await temporaryDirectory();
    const first = await scene({ directory });
    await first.permissions.grant(ada, notes, { id: bob.id }, 'write');
    const { token } = await first.permissions.offer(ada, notes, 'read');
    first.permissions.close();
    const { permissions } = await scene({ directory });
    expect(await permissions.access(bob, notes)).toBe('write');
    await permissions.accept(eve, token);
    expect(await permissions.access(eve, notes)).toBe('read');
  });

  test('ends with the user', async () => {
    const { permissions } = await scene();
    await permissions.grant(ada, notes, { id: bob.id }, 'write');
    await permissions.grant(bob, '*', { id: eve.id }, 'write');
    await permissions.offer(bob, `/${bob.id}/x`, 'read');
    permissions.forgetUser(bob.id);
    expect(await permissions.access(bob, notes)).toBe('none');
    expect(await permissions.access(eve, `/${bob.id}/x`)).toBe('none');
    expect(permissions.offersBy(bob)).toEqual([]);
  });
});

describe('an offer', () => {
  test('gives its right to whoever accepts it, until it expires', async () => {
    let now = 1_000;
    const { permissions } = await scene({ now: () => now });
    const { token, offer } = await permissions.offer(ada, notes, 'write', 2_000);
    expect(permissions.offersBy(ada)).toEqual([offer]);
    now = 1_999;
    expect(await permissions.accept(bob, token)).toEqual({ path: notes, access: 'write' });
    now = 2_000;
    await expect(permissions.accept(eve, token)).rejects.toMatchObject({ fault: 'unknown-offer' });
    expect([await permissions.access(bob, notes), await permissions.access(eve, notes)]).toEqual([
      'write',
      'none',
    ]);
    expect(permissions.offersBy(ada)).toEqual([]);
  });

  test('takes nothing away, and gives nothing to whom the realm was refused', async () => {
    const { permissions } = await scene();
    const { token } = await permissions.offer(ada, notes, 'read');
    await permissions.grant(ada, notes, { id: bob.id }, 'write');
    await permissions.grant(ada, notes, { id: eve.id }, 'none');
    expect(await permissions.accept(bob, token)).toEqual({ path: notes, access: 'write' });
    expect(await permissions.access(bob, notes)).toBe('write');
    await expect(permissions.accept(eve, token)).rejects.toMatchObject(denied);
    expect(await permissions.accept(ada, token)).toEqual({ path: notes, access: 'manage' });
  });

  test('is worth nothing once revoked, or once its maker may no longer give the right', async () => {
    const { permissions } = await scene();
    await permissions.grant(ada, notes, { id: bob.id }, 'manage');
    const byBob = await permissions.offer(bob, notes, 'read');
    const byAda = await permissions.offer(ada, notes, 'read');
    expect(permissions.revokeOffer(bob, byAda.offer.id)).toBe(false);
    expect(permissions.revokeOffer(ada, byAda.offer.id)).toBe(true);
    await expect(permissions.accept(eve, byAda.token)).rejects.toMatchObject({ fault: 'unknown-offer' });
    await permissions.grant(ada, notes, { id: bob.id }, 'write');
    await expect(permissions.accept(eve, byBob.token)).rejects.toMatchObject({ fault: 'unknown-offer' });
    await expect(permissions.accept(eve, 'made-up')).rejects.toMatchObject({ fault: 'unknown-offer' });
  });

  test('is for one path, and not of the past', async () => {
    const { permissions } = await scene();
    await expect(permissions.offer(ada, '*', 'read')).rejects.toMatchObject({ fault: 'invalid' });
    await expect(permissions.offer(ada, notes, 'read', 999)).rejects.toMatchObject({ fault: 'invalid' });
  });
});
