/** The metrics port on prom-client: one registry a node, rendered as Prometheus text on `/metrics`. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Labels, Metrics, MetricSpec } from './metrics.ts';

export interface PrometheusMetrics extends Metrics {
  readonly contentType: string;
  /** Prometheus text of this registry and of every added source. */
  render(): Promise<string>;
  /** Adds text of another registry (Moleculer's), rendered with this one's. */
  readonly addSource: (render: () => string | Promise<string>) => void;
}

export interface PrometheusOptions {
  readonly node: string;
  readonly region: string;
  /** Of the process: memory, CPU, event loop. */
  readonly hasDefaults?: boolean;
}

/** From 1 ms to 10 s: calls, encodes, waits. */
const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function prometheusMetrics({
  node,
  region,
  hasDefaults = true,
}: PrometheusOptions): PrometheusMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ node, region });
  if (hasDefaults) collectDefaultMetrics({ register: registry });
  const sources: (() => string | Promise<string>)[] = [];
  return {
    contentType: registry.contentType,
    render: async () =>
      [await registry.metrics(), ...(await Promise.all(sources.map(async (source) => source())))].join('\n'),
    addSource: (source) => void sources.push(source),
    ...metricsOf(registry),
  };
}

function metricsOf(registry: Registry): Metrics {
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const base = ({ name, help, labels = [] }: MetricSpec) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (spec) => {
      const counter = once(counters, spec.name, () => new Counter(base(spec)));
      return { add: (value, labels: Labels = {}) => counter.inc(labels, value) };
    },
    gauge: (spec) => {
      const gauge = once(gauges, spec.name, () => new Gauge(base(spec)));
      return { set: (value, labels: Labels = {}) => gauge.set(labels, value) };
    },
    histogram: (spec) => {
      const buckets = [...(spec.buckets ?? defaultBuckets)];
      const histogram = once(histograms, spec.name, () => new Histogram({ ...base(spec), buckets }));
      return { observe: (value, labels: Labels = {}) => histogram.observe(labels, value) };
    },
  };
}

function once<M>(known: Map<string, M>, name: string, make: () => M): M {
  const metric = known.get(name) ?? make();
  known.set(name, metric);
  return metric;
}
