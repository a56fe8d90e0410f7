/** One to many: books link to their author, who sees them through `linkingObjects`. */
import { randomUUID } from 'node:crypto';
import { type Example, type Found, one, through } from './example.ts';

const Author = {
  name: 'Author',
  primaryKey: 'RealmId',
  sqlserverPrimaryKey: 'AuthorId',
  properties: {
    RealmId: 'string',
    AuthorId: { type: 'int', optional: true },
    FullName: 'string',
    books: { type: 'linkingObjects', objectType: 'Book', property: 'Author' },
  },
};

const Book = {
  name: 'Book',
  primaryKey: 'RealmId',
  sqlserverPrimaryKey: 'BookId',
  properties: {
    RealmId: 'string',
    BookId: { type: 'int', optional: true },
    Name: 'string',
    Author: 'Author',
  },
};

export const authorBook: Example = {
  name: 'author-book',
  script: 'author-book.sql',
  tables: ['Author', 'Book'],
  options: { schema: [Author, Book] },
  query: `SELECT b.BookId, b.Name, a.FullName, CASE WHEN b.RealmId IS NULL THEN 'no' ELSE 'yes' END AS HasRealmId
FROM dbo.Book b LEFT JOIN dbo.Author a ON a.AuthorId = b.Author ORDER BY b.BookId`,
  shown: (realm) =>
    [...realm.objects<Found>('Author')]
      .sort((a, b) => Number(a.AuthorId) - Number(b.AuthorId))
      .map((author) => {
        const books = [...realm.objects<Found>('Book')]
          .filter((book) => through(book, 'Author', 'RealmId') === author.RealmId)
          .sort((a, b) => Number(a.BookId) - Number(b.BookId));
        return `${author.FullName}: ${books.map((book) => book.Name).join(', ')}`;
      }),
  steps: [
    {
      title: 'A device adds a book',
      onDevice: (realm) => {
        const author = one(realm, 'Author', 'FullName', 'Kurt Vonnegut');
        realm.create('Book', { RealmId: randomUUID(), Name: 'Galápagos', Author: author });
      },
    },
    {
      title: 'An application adds an author with a book',
      inSql: `DECLARE @author int;
INSERT INTO dbo.Author (FullName) VALUES ('Anna Achmatowa');
SET @author = SCOPE_IDENTITY();
INSERT INTO dbo.Book (Name, Author) VALUES ('Requiem', @author);`,
    },
    {
      title: 'A device deletes an author, whose books lose him',
      onDevice: (realm) => realm.delete(one(realm, 'Author', 'FullName', 'Mikhail Bulgakov')),
    },
  ],
};
