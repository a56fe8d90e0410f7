/** Every way in which a connection can fail to come about, with its remedy. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isTransientSqlServerError, SqlServerError } from '../../../connectors/sqlserver/errors.ts';
import { Session, type SessionContext } from '../../../connectors/sqlserver/session.ts';
import { ScriptedServer } from './scripted-server.ts';

const certificates = join(import.meta.dirname, '../../support/certificates');

let scripted: ScriptedServer;
beforeEach(async () => {
  scripted = await ScriptedServer.start();
});
afterEach(() => scripted.close());

const read = (name: string): Promise<string> => readFile(join(certificates, name), 'utf8');

async function refusal(context: SessionContext): Promise<SqlServerError> {
  const error: unknown = await Session.open(context).then(
    (session) => session.close(),
    (reason: unknown) => reason,
  );
  if (error instanceof SqlServerError) return error;
  throw new Error(`expected a SqlServerError, got ${String(error)}`);
}

test('a login with a wrong password', async () => {
  const error = await refusal(scripted.context({ password: 'wrong' }));
  expect(error).toMatchObject({ code: 'sqlserver-connection', errorClass: 'fatal', sqlState: '18456' });
  expect(error.message).toContain('refuses login sa');
  expect(error.remedy).toContain('user and password in sqlserverConfig');
  expect(error.message).not.toContain('wrong');
});

test('a database that does not exist', async () => {
  const error = await refusal(scripted.context({}, { database: 'attic' }));
  expect(error).toMatchObject({ code: 'sqlserver-server', sqlState: '4060' });
  expect(error.remedy).toContain('CREATE DATABASE [attic]');
  expect(error.remedy).toContain('createSQLServerDB: true');
});

test('a port at which nobody listens', async () => {
  const { port } = scripted.server;
  const context = scripted.context();
  await scripted.close();
  const error = await refusal(context);
  expect(error).toMatchObject({ code: 'sqlserver-connection', errorClass: 'transient' });
  expect(error.message).toContain(`nothing listens at 127.0.0.1:${port}`);
  scripted = await ScriptedServer.start();
});

test('a host that does not exist', async () => {
  const error = await refusal(scripted.context({ server: 'nowhere.invalid' }));
  expect(error.message).toContain('the host name nowhere.invalid of SQL Server cannot be resolved');
  expect(isTransientSqlServerError(error)).toBe(true);
});

test('a server that hangs up', async () => {
  scripted.server.faults.refuseConnections = true;
  const error = await refusal(scripted.context());
  expect(error).toMatchObject({ code: 'sqlserver-connection', errorClass: 'transient' });
});

test('a server without encryption, when encryption is asked for', async () => {
  const error = await refusal(scripted.context({ options: { encrypt: true } }));
  expect(error.code).toBe('sqlserver-connection');
  expect(error.remedy).toContain('sqlserverConfig.options.encrypt: false');
});

test('a server that wants encryption, when there is to be none', async () => {
  const tls = { cert: await read('server.crt'), key: await read('server.key') };
  const secure = await ScriptedServer.start({ tls, encryption: 'required' });
  try {
    const error = await refusal(secure.context({ options: { encrypt: false } }));
    expect(error.remedy).toBe('set sqlserverConfig.options.encrypt: true');
  } finally {
    await secure.close();
  }
});

test('a certificate that nobody vouches for, unless it is trusted or its authority is given', async () => {
  const [cert, key] = [await read('server.crt'), await read('server.key')];
  const secure = await ScriptedServer.start({ tls: { cert, key } });
  try {
    const error = await refusal(secure.context({ server: 'localhost', options: { encrypt: true } }));
    expect(error.message).toContain('is not trusted');
    expect(error.remedy).toContain('trustServerCertificate: true');
    const trusting = await secure.session({ options: { encrypt: true, trustServerCertificate: true } });
    expect(trusting.broken).toBe(false);
  } finally {
    await secure.close();
  }
});

test('an opening that is given up', async () => {
  await expect(
    Session.open(scripted.context(), { signal: AbortSignal.abort(new Error('stop')) }),
  ).rejects.toThrow('stop');
});
