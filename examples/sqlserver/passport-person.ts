/** One to one: a person links to a passport. */
import { randomUUID } from 'node:crypto';
import { type Example, type Found, one, through } from './example.ts';

const Passport = {
  name: 'Passport',
  primaryKey: 'RealmId',
  sqlserverPrimaryKey: 'PassportId',
  properties: { RealmId: 'string', PassportId: { type: 'int', optional: true }, Country: 'string' },
};

const Person = {
  name: 'Person',
  primaryKey: 'RealmId',
  sqlserverPrimaryKey: 'PersonId',
  properties: {
    RealmId: 'string',
    PersonId: { type: 'int', optional: true },
    Name: 'string',
    PassportId: 'Passport',
  },
};

export const passportPerson: Example = {
  name: 'passport-person',
  script: 'passport-person.sql',
  tables: ['Passport', 'Person'],
  options: { schema: [Passport, Person] },
  query: `SELECT p.PersonId, p.Name, p.PassportId, a.Country, CASE WHEN p.RealmId IS NULL THEN 'no' ELSE 'yes' END AS HasRealmId
FROM dbo.Person p LEFT JOIN dbo.Passport a ON a.PassportId = p.PassportId ORDER BY p.PersonId`,
  shown: (realm) =>
    [...realm.objects<Found>('Person')]
      .sort((a, b) => Number(a.PersonId) - Number(b.PersonId))
      .map((person) => `${person.PersonId} ${person.Name}: ${through(person, 'PassportId', 'Country')}`),
  steps: [
    {
      title: 'A device adds Shemp with a passport of his own; the database numbers both',
      onDevice: (realm) => {
        const passport = realm.create('Passport', { RealmId: randomUUID(), Country: 'France' });
        realm.create('Person', { RealmId: randomUUID(), Name: 'Shemp', PassportId: passport });
      },
    },
    {
      title: 'An application adds Joe; the adapter gives him a RealmId',
      inSql: "INSERT INTO dbo.Person (Name, PassportId) VALUES ('Joe', 2)",
    },
    {
      title: 'A device gives Curly another passport',
      onDevice: (realm) => {
        one(realm, 'Person', 'Name', 'Curly').PassportId = one(realm, 'Passport', 'Country', 'Canada');
      },
    },
    {
      title: 'An application takes Moe’s passport away',
      inSql: "UPDATE dbo.Person SET PassportId = NULL WHERE Name = 'Moe'",
    },
  ],
};
