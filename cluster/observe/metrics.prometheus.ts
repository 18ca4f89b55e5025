/** The metrics, on prom-client: one registry for each node, shown on `/metrics` as Prometheus text. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  maxSeries,
  type FamilySpec,
  type Labels,
  type Metrics,
  type MetricSpec,
  type Sample,
} from './metrics.ts';

export interface PrometheusMetrics extends Metrics {
  readonly contentType: string;
  /** Makes the Prometheus text of our metrics, the process's and Node's. Callers that ask while it is being made get the same text. */
  render(): Promise<string>;
}

export interface PrometheusOptions {
  readonly node: string;
  readonly region: string;
  /** True adds the metrics of the process: memory, CPU, event loop. */
  readonly hasDefaults?: boolean;
}

/** From 1 ms to 10 s, for calls, encodes and waits. */
const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Sums of prom-client that are named like counters and are none. The series that they add up are shown. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export function prometheusMetrics({
  node,
  region,
  hasDefaults = true,
}: PrometheusOptions): PrometheusMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ node, region });
  if (hasDefaults) collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const families: Family[] = [];
  const leftOut = new Gauge({
    name: 'tangaza_metrics_left_out_series',
    help: `Series of a family that are not shown, for it has over ${maxSeries}.`,
    labelNames: ['family'],
    registers: [registry],
  });
  let rendering: Promise<string> | undefined;
  const renderNow = async (): Promise<string> => {
    for (const family of families) leftOut.set({ family: family.name }, family.refresh());
    return registry.metrics();
  };
  return {
    contentType: registry.contentType,
    render: () => {
      rendering ??= renderNow().finally(() => {
        rendering = undefined;
      });
      return rendering;
    },
    family: (spec, read) => {
      if (families.every(({ name }) => name !== spec.name)) families.push(familyOf(registry, spec, read));
    },
    ...metricsOf(registry),
  };
}

interface Family {
  readonly name: string;
  /** Reads every family afresh. @returns how many series were left out */
  refresh(): number;
}

function familyOf(registry: Registry, spec: FamilySpec, read: () => Iterable<Sample>): Family {
  const { name, kind } = spec;
  const shown =
    kind === 'counter' ? new Counter(optionsOf(registry, spec)) : new Gauge(optionsOf(registry, spec));
  return {
    name,
    refresh: () => {
      shown.reset();
      let count = 0;
      for (const { labels, value } of read()) {
        count += 1;
        if (count <= maxSeries) shown.inc(labels, value);
      }
      return Math.max(0, count - maxSeries);
    },
  };
}

const optionsOf = (registry: Registry, { name, help, labels = [] }: MetricSpec) => ({
  name,
  help,
  labelNames: [...labels],
  registers: [registry],
});

function metricsOf(registry: Registry): Omit<Metrics, 'family'> {
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  return {
    counter: (spec) => {
      const counter = once(counters, spec.name, () => new Counter(optionsOf(registry, spec)));
      return { add: (value, labels: Labels = {}) => counter.inc(labels, value) };
    },
    gauge: (spec) => {
      const gauge = once(gauges, spec.name, () => new Gauge(optionsOf(registry, spec)));
      return { set: (value, labels: Labels = {}) => gauge.set(labels, value) };
    },
    histogram: (spec) => {
      const buckets = [...(spec.buckets ?? defaultBuckets)];
      const histogram = once(
        histograms,
        spec.name,
        () => new Histogram({ ...optionsOf(registry, spec), buckets }),
      );
      return { observe: (value, labels: Labels = {}) => histogram.observe(labels, value) };
    },
  };
}

function once<M>(known: Map<string, M>, name: string, make: () => M): M {
  const metric = known.get(name) ?? make();
  known.set(name, metric);
  return metric;
}
