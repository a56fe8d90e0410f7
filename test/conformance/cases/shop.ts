/** The tables and classes that most cases use: artists with albums, a label that may be absent, prices. */
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import type { PortableTable } from '../target.ts';

export const artistTable: PortableTable = {
  name: 'artist',
  columns: [
    { name: 'id', type: 'int' },
    { name: 'name', type: 'text' },
    { name: 'country', type: 'text' },
    { name: 'worth', type: 'decimal' },
    { name: 'active', type: 'bool' },
  ],
  primaryKey: ['id'],
};

export const albumTable: PortableTable = {
  name: 'album',
  columns: [
    { name: 'id', type: 'int' },
    { name: 'title', type: 'text', nullable: false },
    { name: 'artist', type: 'int' },
  ],
  primaryKey: ['id'],
  foreignKeys: [{ columns: ['artist'], references: 'artist', referencedColumns: ['id'] }],
};

export const artistClass: ConnectorOptions['models'][number] = {
  name: 'artist',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string?', country: 'string?', worth: 'decimal128?', active: 'bool?' },
};

export const albumClass: ConnectorOptions['models'][number] = {
  name: 'album',
  primaryKey: 'id',
  properties: { id: 'int', title: 'string', artist: 'artist?' },
};

export const shop = { tables: [artistTable, albumTable], models: [artistClass, albumClass] };
