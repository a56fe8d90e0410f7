/** Bus lines with their stops: who is in a list by a foreign key, in which order by a list table. */
import { RealmList } from '../../../src/client/realm/list.ts';
import type { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import type { Deployment, Device } from '../deployment.ts';
import type { PortableTable } from '../target.ts';

export const lineTable: PortableTable = {
  name: 'line',
  columns: [
    { name: 'id', type: 'int' },
    { name: 'name', type: 'text' },
  ],
  primaryKey: ['id'],
};

export const stopTable = (member: { readonly nullable: boolean } | undefined): PortableTable => ({
  name: 'stop',
  columns: [
    { name: 'id', type: 'int' },
    { name: 'name', type: 'text' },
    ...(member === undefined ? [] : [{ name: 'line', type: 'int', nullable: member.nullable } as const]),
  ],
  primaryKey: ['id'],
  foreignKeys:
    member === undefined ? [] : [{ columns: ['line'], references: 'line', referencedColumns: ['id'] }],
});

export const models = (watched: boolean): ConnectorOptions['models'] => [
  {
    name: 'line',
    primaryKey: 'id',
    properties: {
      id: 'int',
      name: 'string?',
      stops: { type: 'list', objectType: 'stop', ...(watched ? { watch_table: true } : {}) },
    },
  },
  {
    name: 'stop',
    primaryKey: 'id',
    properties: {
      id: 'int',
      name: 'string?',
      line: { type: 'linkingObjects', objectType: 'line', property: 'stops' },
    },
  },
];

/** Lines and their stops, told by a foreign key, in an order that a list table keeps. */
export const lines = {
  tables: [lineTable, stopTable({ nullable: true })],
  models: models(true),
};

export const ORDER = 'line_stops';

export function stopsOf(realm: ObjectRealm, line: number | string): RealmList {
  const list = realm.objectForPrimaryKey('line', line)?.stops;
  if (list instanceof RealmList) return list;
  throw new Error(`line ${line} has no list of stops`);
}

/** The lists as the table of the foreign key, the list table and the device have them. */
export async function shown(deployment: Deployment, device: Device) {
  const inOrder = new Map<string | null, (string | null)[]>();
  for (const [oid = null, , target = null] of await deployment.rows(ORDER, 'oid', 'idx', 'target'))
    inOrder.set(oid, [...(inOrder.get(oid) ?? []), target]);
  const members = new Map<string | null, (string | null)[]>();
  for (const [line = null, id = null] of await deployment.rows('stop', 'line', 'id'))
    if (line !== null) members.set(line, [...(members.get(line) ?? []), id]);
  const lists = device.shown('line', 'id', 'stops');
  return {
    device: Object.fromEntries(lists.filter(([, stops]) => stops !== '[]')),
    table: Object.fromEntries([...inOrder].map(([oid, targets]) => [oid, `[${targets.join(' ')}]`])),
    members: Object.fromEntries([...members].map(([line, ids]) => [line, ids.join(' ')])),
    indexes: (await deployment.rows(ORDER, 'oid', 'idx')).map(([, index]) => index).join(' '),
  };
}

const numbered = (name: string, more: PortableTable['columns']): PortableTable => ({
  name,
  columns: [
    { name: `${name}Id`, type: 'int', generated: true },
    { name: 'RealmId', type: 'text', unique: true },
    { name: 'name', type: 'text' },
    ...more,
  ],
  primaryKey: [`${name}Id`],
});
const numberedStops: PortableTable = {
  ...numbered('stop', [{ name: 'lineId', type: 'int' }]),
  foreignKeys: [{ columns: ['lineId'], references: 'line', referencedColumns: ['lineId'] }],
};
const numberedModels: ConnectorOptions['models'] = [
  {
    name: 'line',
    primaryKey: 'RealmId',
    sqlserverPrimaryKey: 'lineId',
    properties: {
      RealmId: 'string',
      lineId: 'int?',
      name: 'string?',
      stops: { type: 'list', objectType: 'stop', watch_table: true },
    },
  },
  {
    name: 'stop',
    primaryKey: 'RealmId',
    sqlserverPrimaryKey: 'stopId',
    properties: {
      RealmId: 'string',
      stopId: 'int?',
      name: 'string?',
      lineId: { type: 'linkingObjects', objectType: 'line', property: 'stops' },
    },
  },
];

/** The same where the database numbers the rows. */
export const numberedLines = { tables: [numbered('line', []), numberedStops], models: numberedModels };
