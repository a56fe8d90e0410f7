-- One to many: books refer to their author.
CREATE TABLE dbo.Author (
  AuthorId INT NOT NULL IDENTITY(1, 1),
  FullName VARCHAR(255) NOT NULL,
  RealmId VARCHAR(255),
  CONSTRAINT PK_Author PRIMARY KEY (AuthorId)
);
CREATE TABLE dbo.Book (
  BookId INT NOT NULL IDENTITY(1, 1),
  Name VARCHAR(255) NOT NULL,
  RealmId VARCHAR(255),
  Author INT FOREIGN KEY REFERENCES Author (AuthorId),
  CONSTRAINT PK_Book PRIMARY KEY (BookId)
);
GO
SET IDENTITY_INSERT Author ON;
INSERT INTO dbo.Author (AuthorId, FullName) VALUES
  (1, 'Ernest Hemingway'), (2, 'Kurt Vonnegut'), (3, 'Mikhail Bulgakov');
SET IDENTITY_INSERT Author OFF;
SET IDENTITY_INSERT Book ON;
INSERT INTO dbo.Book (BookId, Name, Author) VALUES
  (1, 'For Whom the Bell Tolls', 1), (2, 'The Sun Also Rises', 1), (3, 'A Farewell to Arms', 1),
  (4, 'Slaughterhouse-Five', 2), (5, 'Cats Cradle', 2), (6, 'The Master and Margarita', 3);
SET IDENTITY_INSERT Book OFF;
