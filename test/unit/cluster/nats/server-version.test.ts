/** How old a nats-server may be (C1). */
import { expect, test } from 'vitest';
import { tooOld } from '../../../../cluster/nats/server-version.ts';

test.each(['2.10.27', 'v2.10.27', '2.10.28', '2.11.0', '2.11.0-RC.1', '2.12.3', '3.0.0'])(
  '%s will do',
  (version) => {
    expect(tooOld(version)).toBeUndefined();
  },
);

test.each(['2.10.26', '2.9.99', '1.99.99', '2.10', 'of no version', ''])(
  '%j is to be upgraded',
  (version) => {
    expect(tooOld(version)).toBe(
      `The NATS server is nats-server ${version}: upgrade it to 2.10.27 or newer.`,
    );
  },
);
