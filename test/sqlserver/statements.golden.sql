-- The text of every statement that the SQL Server connector can send, for a representative set of tables.
-- Made by test/sqlserver/every-statement-is-known.test.ts; npm run golden writes it anew.

---- Sessions ----

-- roll back
IF @@TRANCOUNT > 0 ROLLBACK
GO

-- wait for locks no longer
SET LOCK_TIMEOUT 5000
GO

---- Checkpoints ----

-- read all
SELECT [realm], CONVERT(varchar(20), [sequence]) FROM [isthmus].[checkpoint] WHERE [adapter] = @adapter;
GO

-- wait for one
SELECT CONVERT(varchar(20), [sequence]) FROM [isthmus].[checkpoint] WITH (UPDLOCK, SERIALIZABLE) WHERE [adapter] = @adapter AND [realm] = @realm;
GO

-- move
UPDATE t SET t.[sequence] = CONVERT(bigint, s.[c1]) FROM [isthmus].[checkpoint] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[adapter] = @adapter AND t.[realm] = CONVERT(nvarchar(700), s.[c0]) COLLATE Latin1_General_100_BIN2;
INSERT INTO [isthmus].[checkpoint] ([adapter], [realm], [sequence]) SELECT @adapter, s.[c0], CONVERT(bigint, s.[c1]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s WHERE NOT EXISTS (SELECT 1 FROM [isthmus].[checkpoint] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[adapter] = @adapter AND t.[realm] = CONVERT(nvarchar(700), s.[c0]) COLLATE Latin1_General_100_BIN2);
GO

---- Writes ----

-- upsert Person by Id
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Name] = CONVERT(nvarchar(4000), s.[c1]), t.[Email] = CONVERT(varchar(8000), s.[c2] COLLATE SQL_Latin1_General_CP1_CI_AS), t.[Born] = CONVERT(date, s.[c3], 23), t.[Salary] = CONVERT(decimal(10,2), s.[c4]), t.[Boss] = CONVERT(nvarchar(4000), s.[c5]) FROM [dbo].[Person] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]') AS s ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Person] ([Id], [Name], [Email], [Born], [Salary], [Boss]) SELECT CONVERT(nvarchar(4000), s.[c0]), CONVERT(nvarchar(4000), s.[c1]), CONVERT(varchar(8000), s.[c2] COLLATE SQL_Latin1_General_CP1_CI_AS), CONVERT(date, s.[c3], 23), CONVERT(decimal(10,2), s.[c4]), CONVERT(nvarchar(4000), s.[c5]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Person] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]));
GO

-- update Person by Id
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Name] = CONVERT(nvarchar(4000), s.[c1]), t.[Email] = CONVERT(varchar(8000), s.[c2] COLLATE SQL_Latin1_General_CP1_CI_AS), t.[Born] = CONVERT(date, s.[c3], 23), t.[Salary] = CONVERT(decimal(10,2), s.[c4]), t.[Boss] = CONVERT(nvarchar(4000), s.[c5]) FROM [dbo].[Person] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]') AS s ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
GO

-- delete Person by Id
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[Person] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
GO

-- upsert Invoice by RealmId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]) AND t.[RealmId] IS NOT NULL;
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Invoice] ([RealmId], [Total], [At]) SELECT CONVERT(uniqueidentifier, s.[c0]), CONVERT(money, s.[c1]), CONVERT(datetimeoffset(3), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]) AND t.[RealmId] IS NOT NULL);
GO

-- update Invoice by RealmId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]) AND t.[RealmId] IS NOT NULL;
GO

-- delete Invoice by RealmId
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]) AND t.[RealmId] IS NOT NULL;
GO

-- upsert Invoice by InvoiceId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]);
SET IDENTITY_INSERT [dbo].[Invoice] ON;
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Invoice] ([InvoiceId], [Total], [At]) SELECT CONVERT(int, s.[c0]), CONVERT(money, s.[c1]), CONVERT(datetimeoffset(3), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[InvoiceId] = CONVERT(int, s.[c0]));
SET IDENTITY_INSERT [dbo].[Invoice] OFF;
GO

-- update Invoice by InvoiceId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]);
GO

-- delete Invoice by InvoiceId
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]);
GO

-- upsert InvoiceLine by InvoiceId, Line
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Text] = s.[c2], t.[Proof] = CONVERT(varbinary(max), s.[c3], 1) FROM [dbo].[InvoiceLine] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]);
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[InvoiceLine] ([InvoiceId], [Line], [Text], [Proof]) SELECT CONVERT(int, s.[c0]), CONVERT(smallint, s.[c1]), s.[c2], CONVERT(varbinary(max), s.[c3], 1) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[InvoiceLine] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]));
GO

-- update InvoiceLine by InvoiceId, Line
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Text] = s.[c2], t.[Proof] = CONVERT(varbinary(max), s.[c3], 1) FROM [dbo].[InvoiceLine] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]);
GO

-- delete InvoiceLine by InvoiceId, Line
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[InvoiceLine] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]);
GO

-- upsert Everything
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Bit] = CONVERT(bit, s.[c1]), t.[Tiny] = CONVERT(tinyint, s.[c2]), t.[Big] = CONVERT(bigint, s.[c3]), t.[Real] = CONVERT(real, s.[c4]), t.[Money] = CONVERT(smallmoney, s.[c5]), t.[Time] = CONVERT(time(7), s.[c6]), t.[Precise] = CONVERT(datetime2(7), s.[c7], 121), t.[Old] = CONVERT(datetime, s.[c8], 121), t.[Minute] = CONVERT(smalldatetime, s.[c9], 120), t.[Fixed] = CONVERT(varbinary(8000), s.[c10], 1), t.[Turkish] = CONVERT(varchar(8000), s.[c11] COLLATE Turkish_CI_AS), t.[Long] = CONVERT(varchar(max), s.[c12] COLLATE SQL_Latin1_General_CP1_CI_AS), t.[Xml] = CONVERT(xml, s.[c13], 1), t.[Any] = CASE LEFT(s.[c14], CHARINDEX(N':', s.[c14]) - 1) WHEN N'bit' THEN CONVERT(sql_variant, CONVERT(bit, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'int' THEN CONVERT(sql_variant, CONVERT(bigint, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'real' THEN CONVERT(sql_variant, CONVERT(real, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'float' THEN CONVERT(sql_variant, CONVERT(float(53), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'date' THEN CONVERT(sql_variant, CONVERT(datetime2(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 121)) WHEN N'datetimeoffset' THEN CONVERT(sql_variant, CONVERT(datetimeoffset(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'time' THEN CONVERT(sql_variant, CONVERT(time(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'uuid' THEN CONVERT(sql_variant, CONVERT(uniqueidentifier, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'data' THEN CONVERT(sql_variant, CONVERT(varbinary(8000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 1)) WHEN N'string' THEN CONVERT(sql_variant, CONVERT(nvarchar(4000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'decimal' THEN CASE CHARINDEX(N'.', REVERSE(STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 0 THEN CONVERT(sql_variant, CONVERT(decimal(38,0), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 2 THEN CONVERT(sql_variant, CONVERT(decimal(38,1), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 3 THEN CONVERT(sql_variant, CONVERT(decimal(38,2), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 4 THEN CONVERT(sql_variant, CONVERT(decimal(38,3), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 5 THEN CONVERT(sql_variant, CONVERT(decimal(38,4), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 6 THEN CONVERT(sql_variant, CONVERT(decimal(38,5), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 7 THEN CONVERT(sql_variant, CONVERT(decimal(38,6), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 8 THEN CONVERT(sql_variant, CONVERT(decimal(38,7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 9 THEN CONVERT(sql_variant, CONVERT(decimal(38,8), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 10 THEN CONVERT(sql_variant, CONVERT(decimal(38,9), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 11 THEN CONVERT(sql_variant, CONVERT(decimal(38,10), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 12 THEN CONVERT(sql_variant, CONVERT(decimal(38,11), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 13 THEN CONVERT(sql_variant, CONVERT(decimal(38,12), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 14 THEN CONVERT(sql_variant, CONVERT(decimal(38,13), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 15 THEN CONVERT(sql_variant, CONVERT(decimal(38,14), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 16 THEN CONVERT(sql_variant, CONVERT(decimal(38,15), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 17 THEN CONVERT(sql_variant, CONVERT(decimal(38,16), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 18 THEN CONVERT(sql_variant, CONVERT(decimal(38,17), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 19 THEN CONVERT(sql_variant, CONVERT(decimal(38,18), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 20 THEN CONVERT(sql_variant, CONVERT(decimal(38,19), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 21 THEN CONVERT(sql_variant, CONVERT(decimal(38,20), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 22 THEN CONVERT(sql_variant, CONVERT(decimal(38,21), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 23 THEN CONVERT(sql_variant, CONVERT(decimal(38,22), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 24 THEN CONVERT(sql_variant, CONVERT(decimal(38,23), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 25 THEN CONVERT(sql_variant, CONVERT(decimal(38,24), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 26 THEN CONVERT(sql_variant, CONVERT(decimal(38,25), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 27 THEN CONVERT(sql_variant, CONVERT(decimal(38,26), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 28 THEN CONVERT(sql_variant, CONVERT(decimal(38,27), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 29 THEN CONVERT(sql_variant, CONVERT(decimal(38,28), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 30 THEN CONVERT(sql_variant, CONVERT(decimal(38,29), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 31 THEN CONVERT(sql_variant, CONVERT(decimal(38,30), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 32 THEN CONVERT(sql_variant, CONVERT(decimal(38,31), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 33 THEN CONVERT(sql_variant, CONVERT(decimal(38,32), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 34 THEN CONVERT(sql_variant, CONVERT(decimal(38,33), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 35 THEN CONVERT(sql_variant, CONVERT(decimal(38,34), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 36 THEN CONVERT(sql_variant, CONVERT(decimal(38,35), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 37 THEN CONVERT(sql_variant, CONVERT(decimal(38,36), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 38 THEN CONVERT(sql_variant, CONVERT(decimal(38,37), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 39 THEN CONVERT(sql_variant, CONVERT(decimal(38,38), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) END END, t.[odd ]] name] = CONVERT(nvarchar(4000), s.[c15]) FROM [dbo].[Everything] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]', [c6] nvarchar(max) '$[6]', [c7] nvarchar(max) '$[7]', [c8] nvarchar(max) '$[8]', [c9] nvarchar(max) '$[9]', [c10] nvarchar(max) '$[10]', [c11] nvarchar(max) '$[11]', [c12] nvarchar(max) '$[12]', [c13] nvarchar(max) '$[13]', [c14] nvarchar(max) '$[14]', [c15] nvarchar(max) '$[15]') AS s ON t.[Code] = CONVERT(char(8), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Code]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2;
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Everything] ([Code], [Bit], [Tiny], [Big], [Real], [Money], [Time], [Precise], [Old], [Minute], [Fixed], [Turkish], [Long], [Xml], [Any], [odd ]] name]) SELECT CONVERT(varchar(8000), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS), CONVERT(bit, s.[c1]), CONVERT(tinyint, s.[c2]), CONVERT(bigint, s.[c3]), CONVERT(real, s.[c4]), CONVERT(smallmoney, s.[c5]), CONVERT(time(7), s.[c6]), CONVERT(datetime2(7), s.[c7], 121), CONVERT(datetime, s.[c8], 121), CONVERT(smalldatetime, s.[c9], 120), CONVERT(varbinary(8000), s.[c10], 1), CONVERT(varchar(8000), s.[c11] COLLATE Turkish_CI_AS), CONVERT(varchar(max), s.[c12] COLLATE SQL_Latin1_General_CP1_CI_AS), CONVERT(xml, s.[c13], 1), CASE LEFT(s.[c14], CHARINDEX(N':', s.[c14]) - 1) WHEN N'bit' THEN CONVERT(sql_variant, CONVERT(bit, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'int' THEN CONVERT(sql_variant, CONVERT(bigint, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'real' THEN CONVERT(sql_variant, CONVERT(real, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'float' THEN CONVERT(sql_variant, CONVERT(float(53), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'date' THEN CONVERT(sql_variant, CONVERT(datetime2(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 121)) WHEN N'datetimeoffset' THEN CONVERT(sql_variant, CONVERT(datetimeoffset(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'time' THEN CONVERT(sql_variant, CONVERT(time(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'uuid' THEN CONVERT(sql_variant, CONVERT(uniqueidentifier, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'data' THEN CONVERT(sql_variant, CONVERT(varbinary(8000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 1)) WHEN N'string' THEN CONVERT(sql_variant, CONVERT(nvarchar(4000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'decimal' THEN CASE CHARINDEX(N'.', REVERSE(STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 0 THEN CONVERT(sql_variant, CONVERT(decimal(38,0), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 2 THEN CONVERT(sql_variant, CONVERT(decimal(38,1), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 3 THEN CONVERT(sql_variant, CONVERT(decimal(38,2), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 4 THEN CONVERT(sql_variant, CONVERT(decimal(38,3), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 5 THEN CONVERT(sql_variant, CONVERT(decimal(38,4), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 6 THEN CONVERT(sql_variant, CONVERT(decimal(38,5), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 7 THEN CONVERT(sql_variant, CONVERT(decimal(38,6), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 8 THEN CONVERT(sql_variant, CONVERT(decimal(38,7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 9 THEN CONVERT(sql_variant, CONVERT(decimal(38,8), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 10 THEN CONVERT(sql_variant, CONVERT(decimal(38,9), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 11 THEN CONVERT(sql_variant, CONVERT(decimal(38,10), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 12 THEN CONVERT(sql_variant, CONVERT(decimal(38,11), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 13 THEN CONVERT(sql_variant, CONVERT(decimal(38,12), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 14 THEN CONVERT(sql_variant, CONVERT(decimal(38,13), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 15 THEN CONVERT(sql_variant, CONVERT(decimal(38,14), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 16 THEN CONVERT(sql_variant, CONVERT(decimal(38,15), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 17 THEN CONVERT(sql_variant, CONVERT(decimal(38,16), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 18 THEN CONVERT(sql_variant, CONVERT(decimal(38,17), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 19 THEN CONVERT(sql_variant, CONVERT(decimal(38,18), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 20 THEN CONVERT(sql_variant, CONVERT(decimal(38,19), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 21 THEN CONVERT(sql_variant, CONVERT(decimal(38,20), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 22 THEN CONVERT(sql_variant, CONVERT(decimal(38,21), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 23 THEN CONVERT(sql_variant, CONVERT(decimal(38,22), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 24 THEN CONVERT(sql_variant, CONVERT(decimal(38,23), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 25 THEN CONVERT(sql_variant, CONVERT(decimal(38,24), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 26 THEN CONVERT(sql_variant, CONVERT(decimal(38,25), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 27 THEN CONVERT(sql_variant, CONVERT(decimal(38,26), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 28 THEN CONVERT(sql_variant, CONVERT(decimal(38,27), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 29 THEN CONVERT(sql_variant, CONVERT(decimal(38,28), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 30 THEN CONVERT(sql_variant, CONVERT(decimal(38,29), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 31 THEN CONVERT(sql_variant, CONVERT(decimal(38,30), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 32 THEN CONVERT(sql_variant, CONVERT(decimal(38,31), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 33 THEN CONVERT(sql_variant, CONVERT(decimal(38,32), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 34 THEN CONVERT(sql_variant, CONVERT(decimal(38,33), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 35 THEN CONVERT(sql_variant, CONVERT(decimal(38,34), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 36 THEN CONVERT(sql_variant, CONVERT(decimal(38,35), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 37 THEN CONVERT(sql_variant, CONVERT(decimal(38,36), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 38 THEN CONVERT(sql_variant, CONVERT(decimal(38,37), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 39 THEN CONVERT(sql_variant, CONVERT(decimal(38,38), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) END END, CONVERT(nvarchar(4000), s.[c15]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]', [c6] nvarchar(max) '$[6]', [c7] nvarchar(max) '$[7]', [c8] nvarchar(max) '$[8]', [c9] nvarchar(max) '$[9]', [c10] nvarchar(max) '$[10]', [c11] nvarchar(max) '$[11]', [c12] nvarchar(max) '$[12]', [c13] nvarchar(max) '$[13]', [c14] nvarchar(max) '$[14]', [c15] nvarchar(max) '$[15]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Everything] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[Code] = CONVERT(char(8), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Code]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2);
GO

-- insert Person, keys alone
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Person] ([Id]) SELECT CONVERT(nvarchar(4000), s.[c0]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Person] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]));
GO

-- update Person, freeing deleted rows
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Boss] = CONVERT(nvarchar(4000), s.[c1]) FROM [dbo].[Person] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[Boss] = CONVERT(nvarchar(4000), s.[c0]) COLLATE SQL_Latin1_General_CP1_CI_AS;
GO

-- assign Invoice
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[RealmId] = CONVERT(uniqueidentifier, s.[c1]) FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[RealmId] IS NULL;
GO

-- empty Person
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE FROM [dbo].[Person];
GO

-- leave the keys of Invoice to the database again
SET IDENTITY_INSERT [dbo].[Invoice] OFF;
GO

---- Lists and other collections ----

-- clear
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]);
GO

-- cut
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] >= CONVERT(int, s.[c1]);
GO

-- erase
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] = CONVERT(int, s.[c1]);
GO

-- move
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[idx] = t.[idx] + CONVERT(int, s.[c2]) FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] >= CONVERT(int, s.[c1]);
GO

-- set
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[target] = CONVERT(nvarchar(4000), s.[c2]) FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] = CONVERT(int, s.[c1]);
GO

-- insert
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[__Person__Friends] ([oid], [idx], [target]) SELECT CONVERT(nvarchar(4000), s.[c0]), CONVERT(int, s.[c1]), CONVERT(nvarchar(4000), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s;
GO

-- read
SELECT s.[c0], CONVERT(varchar(20), t.[idx]), t.[target] FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[__Person__Friends] AS t WITH (UPDLOCK, SERIALIZABLE) ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]);
GO

-- replace items: delete
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Marks] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]);
GO

-- replace items: insert
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[__Person__Marks] ([oid], [key], [target]) SELECT CONVERT(nvarchar(4000), s.[c0]), CONVERT(nvarchar(4000), s.[c1]), CONVERT(float(53), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s;
GO

---- Single rows ----

-- look keys up
SELECT s.[c0], CONVERT(varchar(64), t.[InvoiceId]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[Invoice] AS t ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]) AND t.[RealmId] IS NOT NULL;
GO

-- fetch Person
SELECT s.[c0], t.[Name], CONVERT(varchar(64), t.[Salary]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[Person] AS t ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
GO

-- fetch Everything
SELECT s.[c0], CONVERT(varchar(64), t.[Bit]), CONVERT(varchar(64), t.[Tiny]), CONVERT(varchar(64), t.[Big]), CONVERT(varchar(64), t.[Real], 3), CONVERT(varchar(64), t.[Money], 2), CONVERT(varchar(64), t.[Time], 121), CONVERT(varchar(64), t.[Precise], 121), CONVERT(varchar(64), t.[Old], 121), CONVERT(varchar(64), t.[Minute], 120), t.[Fixed], CONVERT(nvarchar(4000), t.[Turkish]), CONVERT(nvarchar(max), t.[Long]), CONVERT(nvarchar(max), t.[Xml]), CASE CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(t.[Any], 'BaseType')) WHEN N'bit' THEN N'bit:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'tinyint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'smallint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'int' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'bigint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'real' THEN N'real:' + CONVERT(nvarchar(64), CONVERT(real, t.[Any]), 3) WHEN N'float' THEN N'float:' + CONVERT(nvarchar(64), CONVERT(float(53), t.[Any]), 3) WHEN N'decimal' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'numeric' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'money' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'smallmoney' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'date' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'smalldatetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime2' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetimeoffset' THEN N'datetimeoffset:' + CONVERT(nvarchar(64), CONVERT(datetimeoffset(7), t.[Any]), 121) WHEN N'time' THEN N'time:' + CONVERT(nvarchar(64), CONVERT(time(7), t.[Any]), 121) WHEN N'uniqueidentifier' THEN N'uuid:' + LOWER(CONVERT(nvarchar(64), CONVERT(uniqueidentifier, t.[Any]))) WHEN N'binary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'varbinary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'char' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'varchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nvarchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) END, t.[odd ]] name] FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[Everything] AS t ON t.[Code] = CONVERT(char(8), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Code]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2;
GO

-- probe Bit
SELECT COUNT(CASE WHEN CONVERT(bit, s.[c0]) IS NULL THEN NULL ELSE 1 END) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s;
GO

-- probe Precise
SELECT COUNT(CASE WHEN CONVERT(datetime2(7), s.[c0], 121) IS NULL THEN NULL ELSE 1 END) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s;
GO

-- probe Xml
SELECT COUNT(CASE WHEN CONVERT(xml, s.[c0], 1) IS NULL THEN NULL ELSE 1 END) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s;
GO

---- Dead letters ----

-- insert
INSERT INTO [isthmus].[dead_letter] ([adapter], [direction], [realm], [sequence], [reason], [sql_state], [table_name], [column_name], [constraint_name], [objects], [payload], [statements], [subject]) VALUES (@adapter, @direction, @realm, @sequence, @reason, @sql_state, @table_name, @column_name, @constraint_name, @objects, @payload, @statements, @subject);
GO

-- list
SELECT TOP (@limit) CONVERT(varchar(20), [id]), adapter, direction, realm, CONVERT(varchar(20), [sequence]), REPLACE(CONVERT(varchar(30), [created_at], 121), ' ', 'T') + 'Z', state, REPLACE(CONVERT(varchar(30), [state_since], 121), ' ', 'T') + 'Z', CASE WHEN requested_at IS NOT NULL AND state = 'waiting' THEN 't' ELSE 'f' END, CONVERT(varchar(20), [attempts]), outcome, reason, sql_state, table_name, column_name, constraint_name, objects FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND CHARINDEX([state], @states) > 0 AND [id] > @after ORDER BY [id];
GO

-- read
SELECT CONVERT(varchar(20), [id]), adapter, direction, realm, CONVERT(varchar(20), [sequence]), REPLACE(CONVERT(varchar(30), [created_at], 121), ' ', 'T') + 'Z', state, REPLACE(CONVERT(varchar(30), [state_since], 121), ' ', 'T') + 'Z', CASE WHEN requested_at IS NOT NULL AND state = 'waiting' THEN 't' ELSE 'f' END, CONVERT(varchar(20), [attempts]), outcome, reason, sql_state, table_name, column_name, constraint_name, objects, payload, statements FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i) ORDER BY [id];
GO

-- requested
SELECT TOP (@limit) CONVERT(varchar(20), [id]), adapter, direction, realm, CONVERT(varchar(20), [sequence]), REPLACE(CONVERT(varchar(30), [created_at], 121), ' ', 'T') + 'Z', state, REPLACE(CONVERT(varchar(30), [state_since], 121), ' ', 'T') + 'Z', CASE WHEN requested_at IS NOT NULL AND state = 'waiting' THEN 't' ELSE 'f' END, CONVERT(varchar(20), [attempts]), outcome, reason, sql_state, table_name, column_name, constraint_name, objects, payload, statements FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND [requested_at] IS NOT NULL ORDER BY [id];
GO

-- acknowledge
UPDATE [isthmus].[dead_letter] SET [requested_at] = NULL WHERE [adapter] = @adapter AND [id] = @id AND [state] <> N'waiting';
GO

-- answer
UPDATE [isthmus].[dead_letter] SET [outcome] = @outcome, [requested_at] = NULL, [state_since] = CASE WHEN [state] = @state THEN [state_since] ELSE SYSUTCDATETIME() END, [state] = @state, [attempts] = [attempts] + 1 WHERE [adapter] = @adapter AND [id] = @id AND [state] = N'waiting';
GO

-- answerSequences
UPDATE [isthmus].[dead_letter] SET [outcome] = @outcome, [requested_at] = NULL, [state_since] = CASE WHEN [state] = @state THEN [state_since] ELSE SYSUTCDATETIME() END, [state] = @state WHERE [adapter] = @adapter AND [direction] = N'toSql' AND [realm] = @realm AND [state] = N'waiting' AND [sequence] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- keepRow
BEGIN TRANSACTION;
UPDATE [isthmus].[dead_letter] WITH (UPDLOCK, SERIALIZABLE) SET [state] = N'waiting', [state_since] = SYSUTCDATETIME(), [requested_at] = NULL, [outcome] = NULL, [direction] = @direction, [realm] = @realm, [sequence] = @sequence, [reason] = @reason, [sql_state] = @sql_state, [table_name] = @table_name, [column_name] = @column_name, [constraint_name] = @constraint_name, [objects] = @objects, [payload] = @payload, [statements] = @statements, [subject] = @subject WHERE [adapter] = @adapter AND [subject] = @subject;
IF @@ROWCOUNT = 0 INSERT INTO [isthmus].[dead_letter] ([adapter], [direction], [realm], [sequence], [reason], [sql_state], [table_name], [column_name], [constraint_name], [objects], [payload], [statements], [subject]) VALUES (@adapter, @direction, @realm, @sequence, @reason, @sql_state, @table_name, @column_name, @constraint_name, @objects, @payload, @statements, @subject);
COMMIT TRANSACTION;
GO

-- removeRow
DELETE FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND [subject] = @subject AND [state] = N'waiting'; UPDATE [isthmus].[dead_letter] SET [subject] = NULL WHERE [adapter] = @adapter AND [subject] = @subject;
GO

-- request
UPDATE [isthmus].[dead_letter] SET [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting' AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- requestAll
UPDATE [isthmus].[dead_letter] SET [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting';
GO

-- discard
UPDATE [isthmus].[dead_letter] SET [state] = N'discarded', [state_since] = SYSUTCDATETIME(), [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting' AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- discardAll
UPDATE [isthmus].[dead_letter] SET [state] = N'discarded', [state_since] = SYSUTCDATETIME(), [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting';
GO

-- purge
DELETE FROM [isthmus].[dead_letter] OUTPUT CONVERT(varchar(20), deleted.[id]) WHERE [adapter] = @adapter AND [state] <> N'waiting' AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- purgeAll
DELETE FROM [isthmus].[dead_letter] OUTPUT CONVERT(varchar(20), deleted.[id]) WHERE [adapter] = @adapter AND [state] <> N'waiting';
GO

---- Change feed ----

-- database identity
SELECT CONVERT(varchar(20), d.[database_id]), CONVERT(varchar(30), d.[create_date], 126), CONVERT(varchar(36), d.[group_database_id]), d.[name] FROM sys.databases AS d WHERE d.[name] = DB_NAME();
GO

-- state of tables
SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT CONVERT(varchar(20), w.[place]), CONVERT(varchar(20), CHANGE_TRACKING_CURRENT_VERSION()), CONVERT(varchar(20), OBJECT_ID(w.[name], N'U')), CONVERT(varchar(20), s.[begin_version]), CONVERT(varchar(20), CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(w.[name], N'U'))) FROM OPENJSON(@tables) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]') AS w LEFT JOIN sys.change_tracking_tables AS s ON s.[object_id] = OBJECT_ID(w.[name], N'U');
GO

-- allCheckpoints
SELECT t.[realm], CONVERT(varchar(20), t.[sequence]) FROM [isthmus].[checkpoint] AS t WHERE t.[adapter] = @adapter;
GO

-- changedCheckpoints
SELECT t.[realm], CONVERT(varchar(20), t.[sequence]) FROM CHANGETABLE(CHANGES [isthmus].[checkpoint], @since) AS c INNER JOIN [isthmus].[checkpoint] AS t ON t.[adapter] = c.[adapter] AND t.[realm] = c.[realm] WHERE c.[adapter] = @adapter;
GO

-- backlog of Person
SELECT 0, CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), MIN(b.[at])), CONVERT(varchar(20), MAX(b.[at])) FROM (SELECT TOP (@limit) CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END AS [at] FROM CHANGETABLE(CHANGES [dbo].[Person], @since0) AS c ORDER BY [at]) AS b;
GO

-- changes of Person
SELECT c.[SYS_CHANGE_OPERATION], CONVERT(varchar(20), c.[SYS_CHANGE_VERSION]), CONVERT(varchar(20), c.[SYS_CHANGE_CREATION_VERSION]), CONVERT(varchar(48), SUBSTRING(c.[SYS_CHANGE_CONTEXT], 1, 24), 2), c.[Id], t.[Id], t.[Name], CONVERT(nvarchar(4000), t.[Email]), CONVERT(varchar(64), t.[Born], 23), CONVERT(varchar(64), t.[Salary]), t.[Boss] FROM CHANGETABLE(CHANGES [dbo].[Person], @since) AS c LEFT JOIN [dbo].[Person] AS t ON t.[Id] = c.[Id] WHERE CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END <= @upTo;
GO

-- backlog of InvoiceLine
SELECT 1, CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), MIN(b.[at])), CONVERT(varchar(20), MAX(b.[at])) FROM (SELECT TOP (@limit) CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END AS [at] FROM CHANGETABLE(CHANGES [dbo].[InvoiceLine], @since1) AS c ORDER BY [at]) AS b;
GO

-- changes of InvoiceLine
SELECT c.[SYS_CHANGE_OPERATION], CONVERT(varchar(20), c.[SYS_CHANGE_VERSION]), CONVERT(varchar(20), c.[SYS_CHANGE_CREATION_VERSION]), CONVERT(varchar(48), SUBSTRING(c.[SYS_CHANGE_CONTEXT], 1, 24), 2), CONVERT(varchar(64), c.[InvoiceId]), CONVERT(varchar(64), c.[Line]), CONVERT(varchar(64), t.[InvoiceId]), CONVERT(varchar(64), t.[Line]), t.[Text], t.[Proof] FROM CHANGETABLE(CHANGES [dbo].[InvoiceLine], @since) AS c LEFT JOIN [dbo].[InvoiceLine] AS t ON t.[InvoiceId] = c.[InvoiceId] AND t.[Line] = c.[Line] WHERE CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END <= @upTo;
GO

-- backlog of Everything
SELECT 2, CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), MIN(b.[at])), CONVERT(varchar(20), MAX(b.[at])) FROM (SELECT TOP (@limit) CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END AS [at] FROM CHANGETABLE(CHANGES [dbo].[Everything], @since2) AS c ORDER BY [at]) AS b;
GO

-- changes of Everything
SELECT c.[SYS_CHANGE_OPERATION], CONVERT(varchar(20), c.[SYS_CHANGE_VERSION]), CONVERT(varchar(20), c.[SYS_CHANGE_CREATION_VERSION]), CONVERT(varchar(48), SUBSTRING(c.[SYS_CHANGE_CONTEXT], 1, 24), 2), CONVERT(nvarchar(4000), c.[Code]), CONVERT(nvarchar(4000), t.[Code]), CONVERT(varchar(64), t.[Bit]), CONVERT(varchar(64), t.[Tiny]), CONVERT(varchar(64), t.[Big]), CONVERT(varchar(64), t.[Real], 3), CONVERT(varchar(64), t.[Money], 2), CONVERT(varchar(64), t.[Time], 121), CONVERT(varchar(64), t.[Precise], 121), CONVERT(varchar(64), t.[Old], 121), CONVERT(varchar(64), t.[Minute], 120), t.[Fixed], CONVERT(nvarchar(4000), t.[Turkish]), CONVERT(nvarchar(max), t.[Long]), CONVERT(nvarchar(max), t.[Xml]), CASE CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(t.[Any], 'BaseType')) WHEN N'bit' THEN N'bit:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'tinyint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'smallint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'int' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'bigint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'real' THEN N'real:' + CONVERT(nvarchar(64), CONVERT(real, t.[Any]), 3) WHEN N'float' THEN N'float:' + CONVERT(nvarchar(64), CONVERT(float(53), t.[Any]), 3) WHEN N'decimal' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'numeric' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'money' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'smallmoney' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'date' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'smalldatetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime2' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetimeoffset' THEN N'datetimeoffset:' + CONVERT(nvarchar(64), CONVERT(datetimeoffset(7), t.[Any]), 121) WHEN N'time' THEN N'time:' + CONVERT(nvarchar(64), CONVERT(time(7), t.[Any]), 121) WHEN N'uniqueidentifier' THEN N'uuid:' + LOWER(CONVERT(nvarchar(64), CONVERT(uniqueidentifier, t.[Any]))) WHEN N'binary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'varbinary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'char' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'varchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nvarchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) END, t.[odd ]] name] FROM CHANGETABLE(CHANGES [dbo].[Everything], @since) AS c LEFT JOIN [dbo].[Everything] AS t ON t.[Code] = c.[Code] WHERE CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END <= @upTo;
GO

-- backlogs of several
SELECT 0, CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), MIN(b.[at])), CONVERT(varchar(20), MAX(b.[at])) FROM (SELECT TOP (@limit) CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END AS [at] FROM CHANGETABLE(CHANGES [dbo].[Person], @since0) AS c ORDER BY [at]) AS b UNION ALL SELECT 1, CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), MIN(b.[at])), CONVERT(varchar(20), MAX(b.[at])) FROM (SELECT TOP (@limit) CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END AS [at] FROM CHANGETABLE(CHANGES [dbo].[InvoiceLine], @since1) AS c ORDER BY [at]) AS b UNION ALL SELECT 2, CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), MIN(b.[at])), CONVERT(varchar(20), MAX(b.[at])) FROM (SELECT TOP (@limit) CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END AS [at] FROM CHANGETABLE(CHANGES [dbo].[Everything], @since2) AS c ORDER BY [at]) AS b;
GO

-- record: read
SELECT [line], [previous_line], CONVERT(varchar(20), [position]), [holder], CONVERT(varchar(30), [held_since], 126), CONVERT(varchar(30), [confirmed_at], 126) FROM [isthmus].[feed] WHERE [adapter] = @adapter;
GO

-- record: begin
UPDATE [isthmus].[feed] SET [line] = @line, [previous_line] = NULL, [position] = @position, [confirmed_at] = SYSUTCDATETIME(), [holder] = NULL, [held_since] = NULL WHERE [adapter] = @adapter; IF @@ROWCOUNT = 0 INSERT INTO [isthmus].[feed] ([adapter], [line], [position]) VALUES (@adapter, @line, @position);
GO

-- record: hold
UPDATE [isthmus].[feed] SET [line] = @line, [previous_line] = @previous, [holder] = @holder, [held_since] = SYSUTCDATETIME() WHERE [adapter] = @adapter; SELECT CONVERT(varchar(10), @@ROWCOUNT);
GO

-- record: confirm
UPDATE [isthmus].[feed] SET [position] = @position, [confirmed_at] = SYSUTCDATETIME() WHERE [adapter] = @adapter AND [line] = @line; SELECT CONVERT(varchar(10), @@ROWCOUNT);
GO

-- record: release
UPDATE [isthmus].[feed] SET [holder] = NULL, [held_since] = NULL WHERE [adapter] = @adapter AND [line] = @line;
GO

-- record: moveOn
UPDATE [isthmus].[checkpoint] SET [sequence] = [sequence] + 1 WHERE [adapter] = @adapter AND [realm] = N'feed'; IF @@ROWCOUNT = 0 INSERT INTO [isthmus].[checkpoint] ([adapter], [realm], [sequence]) VALUES (@adapter, N'feed', 1);
GO

-- record: drop
DELETE FROM [isthmus].[feed] WHERE [adapter] = @adapter;
GO

-- lock: get
DECLARE @result int; EXEC @result = sp_getapplock @Resource = @resource, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0, @DbPrincipal = N'public'; SELECT CONVERT(varchar(10), @result);
GO

-- lock: release
EXEC sp_releaseapplock @Resource = @resource, @LockOwner = N'Session', @DbPrincipal = N'public';
GO

-- lock: test
SELECT CONVERT(varchar(10), APPLOCK_TEST(N'public', @resource, N'Exclusive', N'Session'));
GO

-- time since the last confirmation
SELECT CONVERT(varchar(20), DATEDIFF(second, f.[confirmed_at], SYSUTCDATETIME())) FROM [isthmus].[feed] AS f WHERE f.[adapter] = @adapter;
GO

---- Snapshots ----

-- version
SELECT CONVERT(varchar(20), CHANGE_TRACKING_CURRENT_VERSION()), DB_NAME();
GO

-- begin the snapshot
SELECT COUNT_BIG(*) FROM [isthmus].[feed];
GO

-- estimate
SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT CONVERT(varchar(20), SUM(p.[rows])) FROM sys.partitions AS p WHERE p.[object_id] = OBJECT_ID(@table, N'U') AND p.[index_id] IN (0, 1); SET TRANSACTION ISOLATION LEVEL SNAPSHOT;
GO

-- read Person
SELECT t.[Id], t.[Name], CONVERT(nvarchar(4000), t.[Email]), CONVERT(varchar(64), t.[Born], 23), CONVERT(varchar(64), t.[Salary]), t.[Boss] FROM [dbo].[Person] AS t ORDER BY t.[Id];
GO

-- read Person after a key
SELECT t.[Id], t.[Name], CONVERT(nvarchar(4000), t.[Email]), CONVERT(varchar(64), t.[Born], 23), CONVERT(varchar(64), t.[Salary]), t.[Boss] FROM [dbo].[Person] AS t WHERE (t.[Id] > CONVERT(nvarchar(4000), @after0)) ORDER BY t.[Id];
GO

-- read InvoiceLine after a key
SELECT CONVERT(varchar(64), t.[InvoiceId]), CONVERT(varchar(64), t.[Line]), t.[Text], t.[Proof] FROM [dbo].[InvoiceLine] AS t WHERE (t.[InvoiceId] > CONVERT(int, @after0)) OR (t.[InvoiceId] = CONVERT(int, @after0) AND t.[Line] > CONVERT(smallint, @after1)) ORDER BY t.[InvoiceId], t.[Line];
GO

-- read Everything
SELECT CONVERT(nvarchar(4000), t.[Code]), CONVERT(varchar(64), t.[Bit]), CONVERT(varchar(64), t.[Tiny]), CONVERT(varchar(64), t.[Big]), CONVERT(varchar(64), t.[Real], 3), CONVERT(varchar(64), t.[Money], 2), CONVERT(varchar(64), t.[Time], 121), CONVERT(varchar(64), t.[Precise], 121), CONVERT(varchar(64), t.[Old], 121), CONVERT(varchar(64), t.[Minute], 120), t.[Fixed], CONVERT(nvarchar(4000), t.[Turkish]), CONVERT(nvarchar(max), t.[Long]), CONVERT(nvarchar(max), t.[Xml]), CASE CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(t.[Any], 'BaseType')) WHEN N'bit' THEN N'bit:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'tinyint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'smallint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'int' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'bigint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'real' THEN N'real:' + CONVERT(nvarchar(64), CONVERT(real, t.[Any]), 3) WHEN N'float' THEN N'float:' + CONVERT(nvarchar(64), CONVERT(float(53), t.[Any]), 3) WHEN N'decimal' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'numeric' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'money' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'smallmoney' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'date' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'smalldatetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime2' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetimeoffset' THEN N'datetimeoffset:' + CONVERT(nvarchar(64), CONVERT(datetimeoffset(7), t.[Any]), 121) WHEN N'time' THEN N'time:' + CONVERT(nvarchar(64), CONVERT(time(7), t.[Any]), 121) WHEN N'uniqueidentifier' THEN N'uuid:' + LOWER(CONVERT(nvarchar(64), CONVERT(uniqueidentifier, t.[Any]))) WHEN N'binary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'varbinary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'char' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'varchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nvarchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) END, t.[odd ]] name] FROM [dbo].[Everything] AS t ORDER BY t.[Code];
GO

---- Catalog ----

-- tables
SELECT CONVERT(varchar(20), o.[object_id]), o.[name] FROM sys.tables AS o WHERE o.[schema_id] = SCHEMA_ID(@schema) AND o.[is_ms_shipped] = 0 AND o.[temporal_type] <> 1 ORDER BY o.[name];
GO

-- columns
SELECT CONVERT(varchar(20), c.[object_id]), c.[name], ISNULL(s.[name], u.[name]), CONVERT(varchar(10), c.[max_length]), CONVERT(varchar(10), c.[precision]), CONVERT(varchar(10), c.[scale]), CONVERT(varchar(1), c.[is_nullable]), CASE WHEN c.[default_object_id] <> 0 OR c.[is_identity] = 1 THEN 1 ELSE 0 END, CASE WHEN c.[is_computed] = 1 OR c.[is_identity] = 1 OR c.[generated_always_type] <> 0 THEN 1 ELSE 0 END, c.[collation_name], CONVERT(varchar(10), COLLATIONPROPERTY(c.[collation_name], 'CodePage')) FROM sys.columns AS c LEFT JOIN sys.types AS s ON s.[user_type_id] = c.[system_type_id] LEFT JOIN sys.types AS u ON u.[user_type_id] = c.[user_type_id] WHERE c.[object_id] IN (SELECT o.[object_id] FROM sys.tables AS o WHERE o.[schema_id] = SCHEMA_ID(@schema) AND o.[is_ms_shipped] = 0 AND o.[temporal_type] <> 1) ORDER BY c.[object_id], c.[column_id];
GO

-- keys
SELECT CONVERT(varchar(20), i.[object_id]), CONVERT(varchar(10), i.[index_id]), CONVERT(varchar(1), i.[is_primary_key]), c.[name], CONVERT(varchar(1), i.[has_filter]), i.[filter_definition] FROM sys.indexes AS i INNER JOIN sys.index_columns AS k ON k.[object_id] = i.[object_id] AND k.[index_id] = i.[index_id] INNER JOIN sys.columns AS c ON c.[object_id] = k.[object_id] AND c.[column_id] = k.[column_id] WHERE i.[is_unique] = 1 AND i.[is_disabled] = 0 AND i.[ignore_dup_key] = 0 AND k.[key_ordinal] > 0 AND i.[object_id] IN (SELECT o.[object_id] FROM sys.tables AS o WHERE o.[schema_id] = SCHEMA_ID(@schema) AND o.[is_ms_shipped] = 0 AND o.[temporal_type] <> 1) ORDER BY i.[object_id], i.[is_primary_key] DESC, i.[index_id], k.[key_ordinal];
GO

-- foreignKeys
SELECT CONVERT(varchar(20), f.[parent_object_id]), f.[name], SCHEMA_NAME(r.[schema_id]), r.[name], p.[name], q.[name] FROM sys.foreign_keys AS f INNER JOIN sys.foreign_key_columns AS k ON k.[constraint_object_id] = f.[object_id] INNER JOIN sys.tables AS r ON r.[object_id] = f.[referenced_object_id] INNER JOIN sys.columns AS p ON p.[object_id] = k.[parent_object_id] AND p.[column_id] = k.[parent_column_id] INNER JOIN sys.columns AS q ON q.[object_id] = k.[referenced_object_id] AND q.[column_id] = k.[referenced_column_id] WHERE f.[parent_object_id] IN (SELECT o.[object_id] FROM sys.tables AS o WHERE o.[schema_id] = SCHEMA_ID(@schema) AND o.[is_ms_shipped] = 0 AND o.[temporal_type] <> 1) ORDER BY f.[parent_object_id], f.[name], k.[constraint_column_id];
GO

-- collations
SELECT o.[name], c.[name], c.[collation_name] FROM sys.columns AS c INNER JOIN sys.tables AS o ON o.[object_id] = c.[object_id] WHERE o.[schema_id] = SCHEMA_ID(@schema) AND c.[collation_name] IS NOT NULL;
GO

---- Watch of the catalog ----

-- tables
SELECT CONVERT(varchar(20), t.[object_id]), t.[name], CONVERT(varchar(20), s.[begin_version]), CONVERT(varchar(5), HAS_PERMS_BY_NAME(QUOTENAME(@schema) + N'.' + QUOTENAME(t.[name]), N'OBJECT', N'SELECT')), CONVERT(varchar(5), HAS_PERMS_BY_NAME(QUOTENAME(@schema) + N'.' + QUOTENAME(t.[name]), N'OBJECT', N'VIEW CHANGE TRACKING')) FROM sys.tables AS t LEFT JOIN sys.change_tracking_tables AS s ON s.[object_id] = t.[object_id] WHERE t.[schema_id] = SCHEMA_ID(@schema) ORDER BY t.[object_id];
GO

-- columns
SELECT CONVERT(varchar(20), c.[object_id]), c.[name], CONVERT(varchar(10), c.[column_id]), CONVERT(varchar(10), c.[user_type_id]), CONVERT(varchar(10), c.[max_length]), CONVERT(varchar(10), c.[precision]), CONVERT(varchar(10), c.[scale]), CONVERT(varchar(5), c.[is_nullable]), CONVERT(varchar(5), c.[is_identity]), CONVERT(varchar(5), c.[is_computed]), CONVERT(varchar(20), c.[default_object_id]), c.[collation_name] FROM sys.columns AS c INNER JOIN sys.tables AS t ON t.[object_id] = c.[object_id] WHERE t.[schema_id] = SCHEMA_ID(@schema) ORDER BY c.[object_id], c.[column_id];
GO

-- keys
SELECT CONVERT(varchar(20), i.[object_id]), CONVERT(varchar(10), i.[index_id]), CONVERT(varchar(5), i.[is_primary_key]), CONVERT(varchar(10), k.[column_id]), CONVERT(varchar(10), k.[key_ordinal]) FROM sys.indexes AS i INNER JOIN sys.tables AS t ON t.[object_id] = i.[object_id] INNER JOIN sys.index_columns AS k ON k.[object_id] = i.[object_id] AND k.[index_id] = i.[index_id] WHERE t.[schema_id] = SCHEMA_ID(@schema) AND i.[is_unique] = 1 ORDER BY i.[object_id], i.[index_id], k.[key_ordinal], k.[column_id];
GO

-- references
SELECT CONVERT(varchar(20), r.[constraint_object_id]), CONVERT(varchar(20), r.[parent_object_id]), CONVERT(varchar(10), r.[parent_column_id]), CONVERT(varchar(20), r.[referenced_object_id]), CONVERT(varchar(10), r.[referenced_column_id]) FROM sys.foreign_key_columns AS r INNER JOIN sys.tables AS t ON t.[object_id] = r.[parent_object_id] WHERE t.[schema_id] = SCHEMA_ID(@schema) ORDER BY r.[constraint_object_id], r.[constraint_column_id];
GO

---- Preparation ----

-- situation
SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), CONVERT(varchar(10), SERVERPROPERTY('EngineEdition')), CONVERT(nvarchar(128), SERVERPROPERTY('Edition')), CONVERT(varchar(10), d.[compatibility_level]), CONVERT(varchar(10), d.[snapshot_isolation_state]), CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), 'Updateability')), DB_NAME(), CASE WHEN CHANGE_TRACKING_CURRENT_VERSION() IS NULL THEN 0 ELSE 1 END FROM sys.databases AS d WHERE d.[name] = DB_NAME();
GO

-- database 1
ALTER DATABASE [shop] SET COMPATIBILITY_LEVEL = 130
GO

-- database 2
ALTER DATABASE [shop] SET ALLOW_SNAPSHOT_ISOLATION ON
GO

-- database 3
ALTER DATABASE [shop] SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 7 DAYS, AUTO_CLEANUP = ON)
GO

-- what of the database is tracked
SELECT CONVERT(varchar(20), CHANGE_TRACKING_CURRENT_VERSION()), CONVERT(varchar(10), c.[is_auto_cleanup_on]), CONVERT(varchar(20), c.[retention_period] * CASE c.[retention_period_units] WHEN 1 THEN 1 WHEN 2 THEN 60 ELSE 1440 END) FROM sys.databases AS d LEFT JOIN sys.change_tracking_databases AS c ON c.[database_id] IN (DB_ID(), d.[database_id]) WHERE d.[name] = DB_NAME();
GO

-- what of the tables is tracked
SELECT CONVERT(varchar(20), w.[place]), CONVERT(varchar(20), OBJECT_ID(w.[name], N'U')), CONVERT(varchar(20), s.[object_id]) FROM OPENJSON(@tables) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]') AS w LEFT JOIN sys.change_tracking_tables AS s ON s.[object_id] = OBJECT_ID(w.[name], N'U');
GO

-- track a table
ALTER TABLE [dbo].[Person] ENABLE CHANGE_TRACKING
GO

-- permissions that are lacking
SELECT CONVERT(varchar(10), w.[place]), w.[permission], USER_NAME() FROM OPENJSON(@wanted) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]', [permission] nvarchar(60) '$[2]') AS w WHERE ISNULL(HAS_PERMS_BY_NAME(w.[name], N'OBJECT', w.[permission]), 0) = 0 ORDER BY w.[place];
GO

-- grant
GRANT SELECT, INSERT ON [dbo].[Person] TO [isthmus]
GO

-- who we are
SELECT SUSER_SNAME();
GO

-- make the database
CREATE DATABASE [shop]
GO

-- is there a user
SELECT CONVERT(varchar(20), DATABASE_PRINCIPAL_ID(@login));
GO

-- make the user
CREATE USER [isthmus] FOR LOGIN [isthmus]
GO

-- grant on the schema 1
GRANT CREATE TABLE TO [isthmus]
GO

-- grant on the schema 2
GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, REFERENCES, VIEW CHANGE TRACKING ON SCHEMA::[dbo] TO [isthmus]
GO

-- own tables: what is there
SELECT CONVERT(varchar(20), SCHEMA_ID(N'isthmus')), CONVERT(varchar(20), OBJECT_ID(N'[isthmus].[checkpoint]', N'U')), CONVERT(varchar(20), OBJECT_ID(N'[isthmus].[dead_letter]', N'U')), CONVERT(varchar(20), OBJECT_ID(N'[isthmus].[feed]', N'U'));
GO

-- own tables: make 1
CREATE SCHEMA [isthmus]
GO

-- own tables: make 2
CREATE TABLE [isthmus].[checkpoint] (
    [adapter] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [realm] nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [sequence] bigint NOT NULL,
    CONSTRAINT [pk_checkpoint] PRIMARY KEY NONCLUSTERED ([adapter], [realm])
)
GO

-- own tables: make 3
CREATE TABLE [isthmus].[dead_letter] (
    [id] bigint IDENTITY(1,1) NOT NULL,
    [adapter] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [direction] nvarchar(20) NOT NULL,
    [realm] nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [sequence] bigint NOT NULL,
    [created_at] datetime2(3) NOT NULL CONSTRAINT [df_dead_letter_created_at] DEFAULT (SYSUTCDATETIME()),
    [state] nvarchar(20) NOT NULL CONSTRAINT [df_dead_letter_state] DEFAULT (N'waiting'),
    [state_since] datetime2(3) NOT NULL CONSTRAINT [df_dead_letter_state_since] DEFAULT (SYSUTCDATETIME()),
    [requested_at] datetime2(3) NULL,
    [attempts] int NOT NULL CONSTRAINT [df_dead_letter_attempts] DEFAULT (0),
    [outcome] nvarchar(max) NULL,
    [reason] nvarchar(max) NOT NULL,
    [sql_state] nvarchar(20) NULL,
    [table_name] nvarchar(400) NULL,
    [column_name] nvarchar(400) NULL,
    [constraint_name] nvarchar(400) NULL,
    [objects] nvarchar(max) NOT NULL,
    [payload] nvarchar(max) NOT NULL,
    [statements] nvarchar(max) NOT NULL,
    [subject] nvarchar(450) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT [pk_dead_letter] PRIMARY KEY ([id])
)
GO

-- own tables: make 4
CREATE INDEX [ix_dead_letter_subject] ON [isthmus].[dead_letter] ([adapter], [subject])
GO

-- own tables: make 5
CREATE TABLE [isthmus].[feed] (
    [adapter] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [line] char(36) NOT NULL,
    [previous_line] char(36) NULL,
    [position] bigint NOT NULL,
    [confirmed_at] datetime2(3) NOT NULL CONSTRAINT [df_feed_confirmed_at] DEFAULT (SYSUTCDATETIME()),
    [holder] nvarchar(400) NULL,
    [held_since] datetime2(3) NULL,
    CONSTRAINT [pk_feed] PRIMARY KEY ([adapter])
)
GO

---- Tables from models ----

-- make 1
IF SCHEMA_ID(N'app') IS NULL EXEC (N'CREATE SCHEMA [app]')
GO

-- make 2
CREATE TABLE [app].[Person] ([Id] nvarchar(450) COLLATE Latin1_General_100_BIN2 NOT NULL, [Code] int IDENTITY(1,1) NOT NULL, [RealmId] uniqueidentifier NULL, [Boss] nvarchar(450) COLLATE Latin1_General_100_BIN2 NULL, PRIMARY KEY ([Id]))
GO

-- make 3
CREATE UNIQUE INDEX [ux_RealmId] ON [app].[Person] ([RealmId]) WHERE [RealmId] IS NOT NULL
GO

-- make 4
ALTER TABLE [app].[Person] ENABLE CHANGE_TRACKING
GO

-- make 5
ALTER TABLE [dbo].[Person] ADD [Height] float NOT NULL DEFAULT (0)
GO

-- make 6
ALTER TABLE [dbo].[Person] ADD [Nick] nvarchar(max) NULL
GO

-- make 7
ALTER TABLE [app].[Person] ADD FOREIGN KEY ([Boss]) REFERENCES [app].[Person] ([Id])
GO

---- Doctor ----

-- state of a table
SELECT CONVERT(varchar(10), o.[temporal_type]), CONVERT(varchar(1), o.[is_memory_optimized]), (SELECT COUNT(*) FROM sys.triggers AS t WHERE t.[parent_id] = o.[object_id] AND t.[is_disabled] = 0), (SELECT COUNT(*) FROM sys.triggers AS t WHERE t.[parent_id] = o.[object_id] AND t.[is_disabled] = 0 AND t.[is_instead_of_trigger] = 1), (SELECT COUNT(*) FROM sys.indexes AS i WHERE i.[object_id] = o.[object_id] AND i.[ignore_dup_key] = 1), (SELECT COUNT(*) FROM sys.security_predicates AS s WHERE s.[target_object_id] = o.[object_id]) FROM sys.tables AS o WHERE o.[object_id] = OBJECT_ID(@name, N'U');
GO

-- permission
SELECT CONVERT(varchar(1), HAS_PERMS_BY_NAME(@name, N'OBJECT', @permission));
GO

-- what else has the name
SELECT CASE o.[type] WHEN 'V' THEN N'a view' WHEN 'SN' THEN N'a synonym' WHEN 'SO' THEN N'a sequence' WHEN 'U' THEN N'a history table' WHEN 'P' THEN N'a procedure' WHEN 'TF' THEN N'a function' WHEN 'IF' THEN N'a function' END FROM sys.objects AS o WHERE o.[schema_id] = SCHEMA_ID(@schema) AND o.[name] = @name;
GO

-- the server’s clock
SELECT CONVERT(varchar(20), DATEDIFF_BIG(millisecond, CONVERT(datetime2(3), '1970-01-01', 23), SYSUTCDATETIME()));
GO

-- rights on our own tables
SELECT DB_NAME(), USER_NAME(), CONVERT(varchar(1), HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'CREATE SCHEMA')), CONVERT(varchar(1), HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'CREATE TABLE'));
GO

-- letters that wait
SELECT CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(30), MIN(d.[created_at]), 126) FROM [isthmus].[dead_letter] AS d WHERE d.[adapter] = @adapter AND d.[state] = N'waiting';
GO
