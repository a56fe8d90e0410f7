/** For the test that runs the journeys in Node. */
export const JOURNEYS: Readonly<Record<string, (world: object) => Promise<object>>>;
