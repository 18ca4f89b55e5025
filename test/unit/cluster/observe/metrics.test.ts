import { expect, test } from 'vitest';
import { maxSeries } from '../../../../cluster/observe/metrics.ts';
import { prometheusMetrics } from '../../../../cluster/observe/metrics.prometheus.ts';
import { lintMetrics } from '../../../support/metric-lint.ts';

test('metrics come out as Prometheus text with the labels of the node', async () => {
  const metrics = prometheusMetrics({ node: 'n1', region: 'eu', hasDefaults: false });
  metrics.counter({ name: 'a_total', help: 'A.', labels: ['kind'] }).add(2, { kind: 'x' });
  metrics.gauge({ name: 'b', help: 'B.' }).set(7);
  metrics.histogram({ name: 'c_seconds', help: 'C.', buckets: [1, 2] }).observe(1.5);
  const text = await metrics.render();
  expect(text).toContain('a_total{kind="x",node="n1",region="eu"} 2');
  expect(text).toContain('b{node="n1",region="eu"} 7');
  expect(text).toContain('c_seconds_bucket{le="2",node="n1",region="eu"} 1');
});

test('asking twice for one name gives the same metric', async () => {
  const metrics = prometheusMetrics({ node: 'n1', region: 'eu', hasDefaults: false });
  for (let round = 0; round < 2; round++) metrics.counter({ name: 'a_total', help: 'A.' }).add(1);
  expect(await metrics.render()).toContain('a_total{node="n1",region="eu"} 2');
});

test('a family shows what there is when somebody looks, and a series ends with what it is about', async () => {
  const metrics = prometheusMetrics({ node: 'n1', region: 'eu', hasDefaults: false });
  const streams = new Map([['news', 3]]);
  metrics.family({ name: 'a_total', help: 'A.', kind: 'counter', labels: ['stream'] }, () =>
    [...streams].map(([stream, value]) => ({ value, labels: { stream } })),
  );
  expect(await metrics.render()).toContain('a_total{stream="news",node="n1",region="eu"} 3');
  streams.set('news', 5).set('show', 1);
  expect(await metrics.render()).toMatch(/a_total\{stream="news".*\} 5\na_total\{stream="show".*\} 1/);
  streams.delete('news');
  expect(await metrics.render()).not.toContain('news');
});

test('what is over the bound of a family is left out, and said', async () => {
  const metrics = prometheusMetrics({ node: 'n1', region: 'eu', hasDefaults: false });
  const many = Array.from({ length: maxSeries + 7 }, (_, index) => ({
    value: 1,
    labels: { stream: `s${index}` },
  }));
  metrics.family({ name: 'a', help: 'A.', kind: 'gauge', labels: ['stream'] }, () => many);
  const text = await metrics.render();
  expect(text.match(/^a\{/gm)).toHaveLength(maxSeries);
  expect(text).toContain('tangaza_metrics_left_out_series{family="a",node="n1",region="eu"} 7');
});

test("what Node and the process tell is named by Prometheus' rules", async () => {
  const text = await prometheusMetrics({ node: 'n1', region: 'eu' }).render();
  expect(lintMetrics(text)).toEqual([]);
  expect(text).toMatch(/^process_resident_memory_bytes/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds/m);
});

test('who asks while the text is made gets the same text', () => {
  const metrics = prometheusMetrics({ node: 'n1', region: 'eu', hasDefaults: false });
  expect(metrics.render()).toBe(metrics.render());
});
