/** Times of day as all pages write them: `21:49`, on the viewer's clock. */

/** @param timeZone for tests; by default the one of the browser */
export const timeOfDay = (at: Date, timeZone?: string): string =>
  at.toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(timeZone === undefined ? {} : { timeZone }),
  });
