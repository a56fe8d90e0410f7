/**
 * Compares every row with its object, and repairs one of the sides when asked to.
 *
 * Steps: replicas of its own from the server (`verified-realms.ts`); a pass over everything that finds suspects
 * (`first-pass.ts`); looking at those again until they agree or stand still (`settle.ts`); the report; and, for what
 * stands, the repair (`repair.ts`). Nothing is written before the repair.
 */
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { readMarks } from '../../store/replica/read-marks.ts';
import type { SourceDialect, SqlWriter } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import type { LoadProgress } from '../load/run-load.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import type { ConnectorOptions } from '../options.ts';
import type { RealmSource } from '../realm-sync.ts';
import { stoppedTables } from '../schema-watch/class-states.ts';
import { type ConnectorSetup, setUpConnector } from '../setup.ts';
import { AdapterBacklog } from './adapter-backlog.ts';
import { ClassCheck } from './class-check.ts';
import { type ClassCounts, type ClassReport, classReport, lookForReport } from './class-report.ts';
import { indexDeadLetters } from './dead-letter-index.ts';
import type { Difference } from './difference.ts';
import { firstPass } from './first-pass.ts';
import { type NotRepaired, type RepairDirection, type RepairReport, repairSettled } from './repair.ts';
import { RealmRepairer } from './repair-realm.ts';
import { SqlRepairer } from './repair-sql.ts';
import { RowKeyIndex } from './row-keys.ts';
import { settle } from './settle.ts';
import { Suspects } from './suspects.ts';
import { VerifiedRealms } from './verified-realms.ts';

/** What the names of marks about classes and tables begin with. */
const SCHEMA_MARKS = 'schema:';

export type VerifyProgress =
  | Exclude<LoadProgress, { kind: 'uploading' }>
  | { readonly kind: 'downloading' }
  /** Differences that are looked at again. */
  | { readonly kind: 'settling'; readonly open: number };

export type VerifyReport = {
  readonly classes: readonly ClassReport[];
  /** Realms that were not compared, by path, with the reason. */
  readonly realmsLeftOut: ReadonlyMap<string, string>;
  /** Classes that were not compared because their table does not fit, by name, with the reason. */
  readonly classesLeftOut: ReadonlyMap<string, string>;
  readonly standing: number;
  readonly explained: number;
  readonly changing: number;
  /** Absent when nothing was to be repaired, or the question was answered with no. */
  readonly repair?: RepairReport;
  readonly seconds: number;
};

export type Repair = {
  readonly direction: RepairDirection;
  /** Called with what was found, when something is to be repaired; nothing is when it resolves with false. */
  readonly confirm: (found: VerifyReport) => Promise<boolean>;
  readonly onNotRepaired: (failure: NotRepaired) => void;
};

export type VerifyRequest = {
  /** Classes to be compared; all when empty. */
  readonly only: readonly string[];
  /** How long both sides must stand still. */
  readonly settleMilliseconds: number;
  readonly repair?: Repair;
};

export type VerifyDependencies = {
  readonly dialect: SourceDialect;
  /** Schema of the tables. */
  readonly schema: string;
  /** An empty store of its own. */
  readonly store: ReplicaStore;
  /** Where the suspects are kept meanwhile. */
  readonly directory: string;
  readonly sync: RealmSource;
  readonly onProgress?: (progress: VerifyProgress) => void;
  readonly onDifference?: (difference: Difference) => void;
  readonly signal: AbortSignal;
};

export async function runVerify(
  options: ConnectorOptions,
  request: VerifyRequest,
  dependencies: VerifyDependencies,
): Promise<VerifyReport> {
  const { dialect, directory, store, sync, onProgress, signal } = dependencies;
  const started = performance.now();
  onProgress?.({ kind: 'downloading' });
  const realms = await VerifiedRealms.open({ store, sync, options, logger: options.logger, signal });
  const suspects = new Suspects(directory);
  const writer = await dialect.openWriter();
  try {
    const keys = new RowKeyIndex(store);
    const setup = await setUp(options, dependencies, keys);
    const classes = chosenClasses(setup, request.only);
    await indexDeadLetters(dialect, suspects);
    const refresh = async (): Promise<void> => {
      await realms.refresh();
      await keys.refresh(setup.mapping, dialect, signal);
    };
    await refresh();
    const { mapping } = setup;
    const context = { dialect, mapping, realms, options, suspects, stopped: stoppedClasses(store) };
    const checks = classes.map((mapped) => new ClassCheck(mapped, context));
    const verification = new Verification(options, setup, checks, {
      ...dependencies,
      realms,
      suspects,
      writer,
      refresh,
    });
    return await verification.run(request, started);
  } finally {
    suspects.close();
    await writer.close();
    await realms.close();
  }
}

type Parts = VerifyDependencies & {
  readonly realms: VerifiedRealms;
  readonly suspects: Suspects;
  readonly writer: SqlWriter;
  readonly refresh: () => Promise<void>;
};

class Verification {
  readonly #options: ConnectorOptions;
  readonly #setup: ConnectorSetup;
  readonly #checks: readonly ClassCheck[];
  readonly #parts: Parts;

  constructor(options: ConnectorOptions, setup: ConnectorSetup, checks: readonly ClassCheck[], parts: Parts) {
    this.#options = options;
    this.#setup = setup;
    this.#checks = checks;
    this.#parts = parts;
  }

  async run(request: VerifyRequest, started: number): Promise<VerifyReport> {
    const counts = await this.#passOverAll();
    await this.#settle(request.settleMilliseconds);
    const found = await this.#report(counts, started);
    const { repair } = request;
    if (repair === undefined || this.#parts.suspects.count('settled') === 0) return found;
    if (!(await repair.confirm(found))) return found;
    return { ...found, repair: await this.#repair(repair), seconds: secondsSince(started) };
  }

  async #passOverAll(): Promise<Map<ClassCheck, ClassCounts>> {
    const { dialect, onProgress } = this.#parts;
    const counts = new Map<ClassCheck, ClassCounts>();
    const snapshot = await dialect.openSnapshot();
    try {
      for (const check of this.#checks) {
        const began = performance.now();
        const { table } = check;
        onProgress?.({ kind: 'table', table, estimatedRows: await snapshot.estimate(check.mapped.table) });
        const onRows = (rows: number): void => onProgress?.({ kind: 'rows', table, rows });
        const passed = await firstPass(check, { ...this.#parts, snapshot, onRows });
        const seconds = secondsSince(began);
        counts.set(check, { ...passed, seconds });
        const { rows: rowsRead } = passed;
        onProgress?.({ kind: 'tableDone', table, rowsRead, objectsWritten: 0, seconds });
      }
    } finally {
      await snapshot.close();
    }
    return counts;
  }

  async #settle(settleMilliseconds: number): Promise<void> {
    const { dialect, writer, realms, onProgress } = this.#parts;
    await settle({
      ...this.#parts,
      checks: this.#checks,
      backlog: new AdapterBacklog(dialect, writer, realms),
      settleMilliseconds,
      onLook: (open) => onProgress?.({ kind: 'settling', open }),
    });
  }

  async #report(counts: ReadonlyMap<ClassCheck, ClassCounts>, started: number): Promise<VerifyReport> {
    const { realms, suspects, onDifference, signal, refresh } = this.#parts;
    await refresh();
    const classes: ClassReport[] = [];
    for (const check of this.#checks) {
      const found = await lookForReport(check, suspects, signal, onDifference);
      const counted = counts.get(check);
      if (counted !== undefined) {
        classes.push(classReport(check, counted, found, notCompared(check)));
      }
    }
    const total = (state: 'standing' | 'explained' | 'changing'): number =>
      classes.reduce((sum, { differences }) => {
        return sum + Object.values(differences).reduce((all, byState) => all + byState[state], 0);
      }, 0);
    return {
      classes,
      realmsLeftOut: realms.leftOut,
      classesLeftOut: new Map([...this.#setup.stopped].map(([name, { reason }]) => [name, reason])),
      standing: total('standing'),
      explained: total('explained'),
      changing: total('changing'),
      seconds: secondsSince(started),
    };
  }

  #repair({ direction, onNotRepaired }: Repair): Promise<RepairReport> {
    const { realms } = this.#parts;
    const { definitions, mapping, catalog } = this.#setup;
    const { tableOfRealm } = this.#options;
    const tableOfRealmName = this.#options.mapping.optionNames.tableOfRealm;
    const repairer =
      direction === 'realm'
        ? new RealmRepairer(realms, definitions)
        : new SqlRepairer({ ...this.#parts, mapping, catalog, tableOfRealm, tableOfRealmName });
    return repairSettled(repairer, { ...this.#parts, checks: this.#checks, onNotRepaired });
  }
}

/** After the realms are there: classes and properties beyond the models are taken from them. */
async function setUp(
  options: ConnectorOptions,
  { dialect, schema, store }: VerifyDependencies,
  keys: RowKeyIndex,
): Promise<ConnectorSetup> {
  // What the adapter knows of the tables as they were, when it runs or ran on this machine.
  store.transaction(() => {
    for (const [name, text] of readMarks(options.localPath, SCHEMA_MARKS)) store.setMark(name, text);
  });
  // What is missing in the database is for the adapter to make.
  const asIs = { ...options, createDatabase: false, createTables: false };
  return setUpConnector(asIs, dialect, schema, keys.directory, store);
}

/** Classes that the adapter has stopped with, and whose table fits all the same. */
function stoppedClasses(store: ReplicaStore): Map<string, string> {
  const stopped = stoppedTables(store);
  return new Map(
    [...stopped].map(([name, { reason, since }]) => [name, `the table is stopped since ${since}: ${reason}`]),
  );
}

function chosenClasses(
  { mapping, stopped }: ConnectorSetup,
  only: readonly string[],
): readonly ClassMapping[] {
  for (const name of only) {
    if (mapping.forClass(name) !== undefined || stopped.has(name)) continue;
    throw new MappingError(`there is no class ${name} to be verified`, {
      remedy: `name some of ${mapping.order.map(({ className }) => className).join(', ')}`,
    });
  }
  return only.length === 0
    ? mapping.order
    : mapping.order.filter(({ className }) => only.includes(className));
}

/** Properties that have no place in the database, by the configuration or because nothing there can hold them. */
function notCompared({ mapped: { definition, properties, states }, sides }: ClassCheck): string[] {
  const collections = new Set(sides.map(({ property }) => property));
  return [...definition.columns.keys()].filter(
    (name) => !properties.has(name) && !states.has(name) && !collections.has(name),
  );
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
