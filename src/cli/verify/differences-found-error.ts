import { IsthmusError } from '../../errors.ts';

/** What ends `isthmus verify` when tables and realms do not agree. */
export class DifferencesFoundError extends IsthmusError {
  readonly code = 'differences-found';

  constructor(count: number, wasRepairing: boolean) {
    const what = count === 1 ? '1 difference stands' : `${count} differences stand`;
    super(`${what} between tables and realms`, {
      remedy: wasRepairing
        ? 'the reasons are above; verify again after mending them'
        : 'see which side is right, then repair the other: `isthmus verify --repair realm` makes the objects what the rows are, `--repair sql` the rows what the objects are',
    });
  }
}
