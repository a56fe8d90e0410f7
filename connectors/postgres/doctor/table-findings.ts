/** Looks at each table of the models as PostgreSQL has it: whether it can be read, written and followed. */
import { type TableInfo, tableId } from '../../../src/connector/dialect.ts';
import { SAMPLE_ROWS, sampledColumns, valueFindings } from '../../../src/connector/doctor/value-findings.ts';
import { type Finding, fine, problem, warning } from '../../../src/connector/finding.ts';
import type { ClassMapping } from '../../../src/connector/mapping/class-mapping.ts';
import type { OptionNames } from '../../../src/connector/option-names.ts';
import { replicaIdentityFindings } from '../feed/publication.ts';
import { missingPrivileges, privilegeError } from '../preparation.ts';
import type { Session, TextRow } from '../session.ts';
import { quoteIdentifier, quoteTable } from '../sql-text.ts';

const STATE = `SELECT c.relkind, c.relpersistence, row_security_active(c.oid), c.relrowsecurity,
    pg_has_role(current_user, c.relowner, 'USAGE'), pg_get_userbyid(c.relowner),
    (SELECT string_agg(quote_ident(t.tgname), ', ' ORDER BY t.tgname) FROM pg_trigger t
      WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')),
    (SELECT string_agg(quote_ident(r.rulename), ', ' ORDER BY r.rulename) FROM pg_rewrite r
      WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '3', '4') AND r.ev_enabled IN ('O', 'A')),
    (SELECT string_agg(h.inhrelid::regclass::text, ', ') FROM pg_inherits h WHERE h.inhparent = c.oid AND c.relkind <> 'p'),
    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND (coalesce(to_jsonb(a) ->> 'attgenerated', '') <> '' OR a.attidentity = 'a')),
    (SELECT pg_size_pretty(pg_total_relation_size(c.oid))),
    c.relreplident
  FROM pg_class c WHERE c.oid = to_regclass($1)`;

/** All findings about the table of one class and its side tables. */
export async function tableFindings(
  session: Session,
  mapped: ClassMapping,
  names: OptionNames,
): Promise<readonly Finding[]> {
  const side = [...mapped.lists.values(), ...mapped.itemTables.values()].map(({ table }) => table);
  const findings = [
    ...(await replicaIdentityFindings(session, [mapped.table])),
    ...(await privilegeFindings(session, [mapped.table, ...side])),
    ...(await stateFindings(session, mapped.table)),
    ...(await sampleFindings(session, mapped, names)),
  ];
  if (findings.some(({ level }) => level !== 'ok')) return findings;
  const name = quoteTable(mapped.table.table);
  return [fine('tables/usable', `${name} can be read, written and followed`), ...findings];
}

async function privilegeFindings(
  session: Session,
  tables: readonly TableInfo[],
): Promise<readonly Finding[]> {
  const missing = await missingPrivileges(session, tables);
  return missing.map((lack) => {
    const { message, remedy } = privilegeError([lack]);
    return problem('tables/privileges', message.replace(` — ${remedy}`, ''), remedy);
  });
}

async function stateFindings(session: Session, { table }: TableInfo): Promise<readonly Finding[]> {
  const name = quoteTable(table);
  const [row] = await session.query(STATE, [name]);
  if (row === undefined) return [problem('tables/exists', `the table ${name} does not exist`)];
  const [
    kind,
    persistence,
    secured,
    hasPolicies,
    owned,
    owner,
    triggers,
    rules,
    children,
    generated,
    size,
    identity,
  ] = row;
  const findings: Finding[] = [];
  if (persistence !== 'p') {
    findings.push(
      problem(
        'tables/logged',
        `the table ${name} is ${persistence === 'u' ? 'UNLOGGED' : 'TEMPORARY'}: its changes are in no log`,
        persistence === 'u' ? `run ALTER TABLE ${name} SET LOGGED` : 'leave it out of the models',
      ),
    );
  }
  if (secured === 't') {
    findings.push(
      problem(
        'tables/row-security',
        `row level security hides rows of ${name} from the user, and may refuse what it writes`,
        'run ALTER ROLE … BYPASSRLS for the user of postgresConfig, or make it the owner of the table',
      ),
    );
  } else if (hasPolicies === 't') {
    findings.push(fine('tables/row-security', `row level security of ${name} does not apply to the user`));
  }
  if (owned !== 't') {
    findings.push(
      warning(
        'tables/owner',
        `the table ${name} belongs to ${owner}, and only its owner can add it to a publication`,
        `GRANT "${owner}" TO the user of postgresConfig; a superuser can make the publication instead, with the statement that the start shows`,
      ),
    );
  }
  if (rules != null) {
    findings.push(
      warning(
        'tables/rules',
        `${name} has rules (${rules}): what is written to it may end elsewhere`,
        'replace them by triggers, or make sure that the row itself is written',
      ),
    );
  }
  if (triggers != null) {
    findings.push(
      fine(
        'tables/triggers',
        `${name} has triggers (${triggers}); what they change comes back to the realm as a change of the database`,
      ),
    );
  }
  if (children != null) {
    findings.push(
      warning(
        'tables/inheritance',
        `other tables inherit from ${name} (${children}): their rows are read with it, but their changes are not followed`,
        'use a partitioned table, or give each of them a class',
      ),
    );
  }
  if (generated != null) {
    findings.push(
      fine(
        'tables/generated',
        `the database makes the values of ${generated} in ${name}; the realm only reads them`,
      ),
    );
  }
  const what = kind === 'p' ? 'partitioned table' : 'table';
  findings.push(
    fine(
      'tables/size',
      `${name} is a ${what} of ${size}${identity === 'f' ? ', logged with whole old rows (REPLICA IDENTITY FULL)' : ''}`,
    ),
  );
  return findings;
}

async function sampleFindings(
  session: Session,
  mapped: ClassMapping,
  names: OptionNames,
): Promise<readonly Finding[]> {
  const list = sampledColumns(mapped)
    .map((column) => `${quoteIdentifier(column)}::text`)
    .join(', ');
  const name = quoteTable(mapped.table.table);
  let rows: readonly TextRow[];
  try {
    rows = await session.query(`SELECT ${list} FROM ${name} LIMIT ${SAMPLE_ROWS}`);
  } catch {
    return []; // the lack of a privilege, which is told already
  }
  return valueFindings(mapped, rows, names);
}

/** What stands under the name of a table that a class needs, when it is no table. */
export async function otherRelation(
  session: Session,
  schema: string,
  name: string,
): Promise<Finding | undefined> {
  const [row] = await session.query(
    `SELECT c.relkind, c.relispartition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, name],
  );
  const kinds: Readonly<Record<string, string>> = {
    v: 'a view',
    m: 'a materialised view',
    f: 'a foreign table',
    S: 'a sequence',
    c: 'a composite type',
    i: 'an index',
  };
  const [kind, partition] = row ?? [];
  const what = partition === 't' ? 'a partition' : kinds[kind ?? ''];
  if (what === undefined) return undefined;
  return problem(
    'tables/kind',
    `${tableId({ schema, name })} is ${what}, whose changes no feed can follow`,
    partition === 't' ? 'name the partitioned table instead' : 'name the table that it is made from',
  );
}
