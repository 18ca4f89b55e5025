import { expect, test } from 'vitest';
import { lintMetrics, readSeries } from '../../support/metric-lint.ts';

const family = (name: string, type: string, line = `${name} 1`, help = 'What it is.'): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${line}\n`;

test('good names pass', () => {
  const text = [
    family('a_requests_total', 'counter', 'a_requests_total{class="2xx"} 7'),
    family('a_queue_bytes', 'gauge'),
    family(
      'a_wait_seconds',
      'histogram',
      'a_wait_seconds_bucket{le="+Inf"} 1\na_wait_seconds_sum 1\na_wait_seconds_count 1',
    ),
    family('a_input_bytes_per_second', 'gauge'),
  ];
  expect(lintMetrics(text.join(''))).toEqual([]);
});

test.each([
  ['a counter without _total', family('a_requests', 'counter')],
  ['_total, and no counter', family('a_requests_total', 'gauge')],
  ['milliseconds, and not seconds', family('a_lag_milliseconds', 'gauge')],
  ['bits, and not bytes', family('a_bits_per_second', 'gauge')],
  ['percent, and not ratio', family('a_used_percent', 'gauge')],
  ['ms is short for a unit', family('a_lag_ms', 'gauge')],
  ['its unit does not stand last', family('a_seconds_lag', 'gauge')],
  ['no HELP', '# TYPE a gauge\na 1\n'],
  ['no TYPE', '# HELP a A.\na 1\n'],
  ['not in snake_case', family('aRequests_total', 'counter')],
  ['its type in its name', family('a_gauge', 'gauge')],
  ['an ending of histograms', family('a_count', 'gauge')],
  ['declared twice', family('a', 'gauge') + family('a', 'gauge')],
  ['the label nodeID is not in snake_case', family('a', 'gauge', 'a{nodeID="x"} 1')],
])('%s is found', (fault, text) => {
  expect(lintMetrics(text)).toContainEqual(expect.stringContaining(fault));
});

test('series are read with their labels', () => {
  expect(readSeries('# TYPE a gauge\na{b="c,d",e="\\"f\\""} 1.5\n')).toEqual([
    { name: 'a', labels: { b: 'c,d', e: '\\"f\\"' }, value: 1.5 },
  ]);
  expect(() => readSeries('a=1')).toThrow('not a line');
});
