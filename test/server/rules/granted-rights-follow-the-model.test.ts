/**
 * Random grants, refusals and revocations by random users, against a model that says in a few lines what
 * docs/permissions.md promises.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRules } from '../../../src/server/rules/compile-rules.ts';
import { GrantStore } from '../../../src/server/rules/grant-store.ts';
import type { PathLevel } from '../../../src/server/rules/options.ts';
import { PathPermissions, type Recipient } from '../../../src/server/rules/path-permissions.ts';
import { PermissionError } from '../../../src/server/rules/permission-error.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { userOf } from './support/users.ts';

const LEVELS: readonly PathLevel[] = ['none', 'read', 'write', 'manage'];
const rank = (level: PathLevel): number => LEVELS.indexOf(level);
const highest = (levels: readonly PathLevel[]): PathLevel =>
  levels.reduce((a, b) => (rank(a) >= rank(b) ? a : b), 'none');

const ada = userOf('0a'.repeat(12), { name: 'ada@example.com' });
const bob = userOf('0b'.repeat(12), { name: 'bob@example.com' });
const eve = userOf('0e'.repeat(12));
const admin = userOf('ad'.repeat(12), { isAdmin: true });
const users = [ada, bob, eve, admin];
const paths = [`/${ada.id}/notes`, `/${bob.id}`, `/${bob.id}/a/b`, '/news', '/team', '/__admin'];

/** Rules: everybody reads the news. */
const rules = { paths: [{ path: '/news', access: 'read' as const }] };

type Entry = { path: string; scope: string; subject: string; access: PathLevel };
type User = (typeof users)[number];

class Model {
  readonly entries = new Map<string, Entry>();

  level(user: User, path: string): PathLevel {
    if (user.isAdmin) return 'manage';
    if (path.startsWith('/__')) return 'none';
    const owner = path.split('/')[1];
    if (owner === user.id) return 'manage';
    const byRule: PathLevel = path === '/news' ? 'read' : 'none';
    const all = [...this.entries.values()];
    const onPath = (subject: string) =>
      all.filter((entry) => entry.path === path && entry.subject === subject).map(({ access }) => access);
    const responsible = [
      '',
      owner,
      ...all
        .filter((entry) => entry.path === path && entry.access === 'manage')
        .map(({ subject }) => subject),
    ];
    const onAll = (subject: string) =>
      all
        .filter((e) => e.path === '*' && e.subject === subject && responsible.includes(e.scope))
        .map(({ access }) => access);
    const [personal] = onPath(user.id);
    if (personal !== undefined) return personal;
    if (onAll(user.id).length > 0) return highest(onAll(user.id));
    return highest([byRule, ...onPath('*'), ...onAll('*')]);
  }

  /** Whether the change is allowed; then it is made. */
  change(grantor: User, path: string, subject: string, access: PathLevel | undefined): boolean {
    const owned = path !== '*' && path.split('/')[1] === subject;
    const managed = path === '*' || (!path.startsWith('/__') && this.level(grantor, path) === 'manage');
    if (!managed || (owned && access !== undefined)) return false;
    const scope = path === '*' && !grantor.isAdmin ? grantor.id : '';
    const key = `${path} ${scope} ${subject}`;
    if (access === undefined) this.entries.delete(key);
    else this.entries.set(key, { path, scope, subject, access });
    return true;
  }
}

const step = fc.record({
  grantor: fc.constantFrom(...users),
  path: fc.constantFrom('*', ...paths),
  recipient: fc.constantFrom<readonly [Recipient, string]>(
    [{ id: ada.id }, ada.id],
    [{ id: bob.id }, bob.id],
    [{ name: 'BOB@example.com' }, bob.id],
    [{ id: eve.id }, eve.id],
    [{ id: '*' }, '*'],
  ),
  access: fc.option(fc.constantFrom(...LEVELS), { nil: undefined, freq: 4 }),
});

test('every level is what the model says, after whatever anybody granted', { timeout: 120_000 }, async () => {
  const directory = await temporaryDirectory();
  let files = 0;
  const result = await fc.check(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const grants = new GrantStore(join(directory, `${++files}.sqlite`));
      const permissions = new PathPermissions({
        rules: compileRules({ rules }).paths,
        grants,
        users: {
          byId: (id) => users.find((user) => user.id === id),
          byName: (name) => users.find((user) => user.name?.toLowerCase() === name.toLowerCase()),
        },
        now: () => 1,
      });
      const model = new Model();
      try {
        for (const { grantor, path, recipient, access } of steps) {
          const [asked, subject] = recipient;
          const allowed = await (access === undefined
            ? permissions.revoke(grantor, path, asked)
            : permissions.grant(grantor, path, asked, access)
          ).then(
            () => true,
            (error: unknown) => {
              if (error instanceof PermissionError) return false;
              throw error;
            },
          );
          expect(allowed).toBe(model.change(grantor, path, subject, access));
          for (const user of users) {
            for (const realm of paths) {
              const levels = [await permissions.access(user, realm), model.level(user, realm)];
              expect([user.id, realm, levels[0]]).toEqual([user.id, realm, levels[1]]);
            }
          }
        }
      } finally {
        permissions.close();
      }
    }),
    { numRuns: 150 },
  );
  expect(result.failed, `seed ${result.seed}: ${fc.defaultReportMessage(result) ?? ''}`).toBe(false);
});
