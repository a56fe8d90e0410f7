import { postgresTarget } from './postgres-target.ts';
import { describeConformance } from './run-conformance.ts';

describeConformance(postgresTarget());
