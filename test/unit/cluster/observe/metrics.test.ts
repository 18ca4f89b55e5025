import { expect, test } from 'vitest';
import { prometheusMetrics } from '../../../../cluster/observe/metrics.prometheus.ts';

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

test('another registry is rendered beside it', async () => {
  const metrics = prometheusMetrics({ node: 'n1', region: 'eu', hasDefaults: false });
  metrics.addSource(async () => 'moleculer_x 1');
  expect(await metrics.render()).toContain('moleculer_x 1');
});
