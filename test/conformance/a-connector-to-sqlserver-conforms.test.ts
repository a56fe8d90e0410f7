import { describeConformance } from './run-conformance.ts';
import { sqlServerTarget } from './sqlserver-target.ts';

describeConformance(sqlServerTarget());
