/** Two tables that refer to one another, with their models. */

export const TABLES = `
  CREATE TABLE item (id int NOT NULL CONSTRAINT item_key PRIMARY KEY, name nvarchar(40) NOT NULL, amount int NULL);
  CREATE TABLE tag (id int NOT NULL PRIMARY KEY, label nvarchar(40) NULL, item int NULL CONSTRAINT tag_item REFERENCES item);
  DECLARE @n int = 1;
  WHILE @n <= 20 BEGIN
    INSERT item (id, name, amount) VALUES (@n, CONCAT('item ', @n), @n); INSERT tag VALUES (@n, CONCAT('tag ', @n), @n); SET @n = @n + 1
  END`;

export const item = {
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string', amount: 'int?' },
};
export const tag = {
  name: 'tag',
  primaryKey: 'id',
  properties: { id: 'int', label: 'string?', item: 'item?' },
};
export const MODELS = [item, tag];
