/** What the log says of a class whose table was changed: one entry each, with what to do. */
import type { Logger } from '../../log.ts';
import type { Turn } from './taking-over.ts';

export function tellTurn(turn: Turn, logger: Logger): void {
  const { className, table } = turn;
  switch (turn.kind) {
    case 'stopped':
      logger.error('A table is not synced any more, the others are: changes of both sides wait', {
        class: className,
        table,
        reason: turn.reason,
        remedy: turn.remedy,
      });
      break;
    case 'resumed':
      logger.info('A table fits again: what waited is written, and the table is compared', {
        class: className,
        table,
      });
      break;
    case 'comparing':
      logger.warn('A table will be compared with its objects, as changes may have gone unnoticed', {
        class: className,
        table,
        reason: turn.reason,
      });
      break;
    case 'left':
      logger.warn('A column was dropped: its property stays in the realm, and changes of it wait', {
        table,
        column: turn.column,
        property: `${className}.${turn.property}`,
        remedy:
          'add the column again, or take the property out of the models (or name it in realmIgnoreProperties)',
      });
      break;
    case 'regained':
      logger.info('A property has a column again: what waited is written', {
        table,
        column: turn.column,
        property: `${className}.${turn.property}`,
      });
      break;
  }
}
