/**
 * Reads Prometheus text, and holds it against the rules of naming (prometheus.io: "Metric and label naming", and what
 * `promtool check metrics` looks for): base units, `_total` for counters alone, help and type for each family.
 */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** @throws Error for a line that is none of the format */
export function readSeries(text: string): readonly Series[] {
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, name, list = '', value] = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a line of Prometheus text: ${line}`);
    const labels = [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', it = '']) => [key, it]);
    return [{ name, labels: Object.fromEntries(labels), value: Number(value) }];
  });
}

const types = ['counter', 'gauge', 'histogram', 'summary'];
const notBase = {
  seconds: ['milliseconds', 'microseconds', 'nanoseconds', 'minutes', 'hours', 'days', 'weeks'],
  bytes: ['bits', 'kilobytes', 'megabytes', 'gigabytes', 'kibibytes', 'mebibytes', 'octets'],
  ratio: ['percent', 'percentage'],
  meters: ['kilometers', 'millimeters'],
};
const abbreviations = [
  's',
  'ms',
  'us',
  'ns',
  'sec',
  'secs',
  'b',
  'kb',
  'mb',
  'gb',
  'kbps',
  'mbps',
  'bps',
  'pct',
];
const units = ['seconds', 'bytes', 'ratio', 'celsius', 'volts', 'amperes', 'joules', 'meters', 'grams'];

/** Every fault, each one sentence that names the metric. */
export function lintMetrics(text: string): readonly string[] {
  const helps = linesOf(text, 'HELP');
  const kinds = linesOf(text, 'TYPE');
  const twice = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  const orphans = readSeries(text).filter(({ name }) => familyOf(name, kinds) === undefined);
  return [
    ...twice.filter((name, index) => twice.indexOf(name) !== index).map((name) => `${name}: declared twice`),
    ...new Set(orphans.map(({ name }) => `${name}: no TYPE`)),
    ...[...kinds].flatMap(([name, kind]) => lintFamily(name, kind, helps.get(name) ?? '')),
    ...new Set(readSeries(text).flatMap(lintLabels)),
  ];
}

function linesOf(text: string, what: 'HELP' | 'TYPE'): ReadonlyMap<string, string> {
  const lines = [...text.matchAll(new RegExp(`^# ${what} (\\S+) (.*)$`, 'gm'))];
  return new Map(lines.map(([, name = '', rest = '']) => [name, rest.trim()]));
}

function familyOf(name: string, kinds: ReadonlyMap<string, string>): string | undefined {
  if (kinds.has(name)) return name;
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  return ['histogram', 'summary'].includes(kinds.get(base) ?? '') ? base : undefined;
}

function lintFamily(name: string, kind: string, help: string): readonly string[] {
  const words = name.split('_');
  const wrong = Object.entries(notBase).flatMap(([base, others]) =>
    others.filter((one) => words.includes(one)).map((one) => `${name}: ${one}, and not ${base}`),
  );
  const unit = words.find((word) => units.includes(word));
  const last = words.filter((word) => word !== 'total' && word !== 'info').at(-1);
  const rate = name.endsWith('_per_second');
  return [
    ...(/^[a-z][a-z0-9_]*$/.test(name) && !name.includes('__') ? [] : [`${name}: not in snake_case`]),
    ...(help === '' ? [`${name}: no HELP`] : []),
    ...(types.includes(kind) ? [] : [`${name}: the type ${kind}`]),
    ...(kind === 'counter' && !name.endsWith('_total') ? [`${name}: a counter without _total`] : []),
    ...(kind !== 'counter' && name.endsWith('_total') ? [`${name}: _total, and no counter`] : []),
    ...(/_(?:bucket|count|sum)$/.test(name) ? [`${name}: an ending of histograms`] : []),
    ...types.filter((type) => words.includes(type)).map(() => `${name}: its type in its name`),
    ...abbreviations.filter((one) => words.includes(one)).map((one) => `${name}: ${one} is short for a unit`),
    ...(unit === undefined || unit === last || rate || isForeign(name)
      ? []
      : [`${name}: its unit does not stand last`]),
    ...wrong,
  ];
}

/** Names of the official clients, which are kept as they are. */
const isForeign = (name: string): boolean => /^(?:process|nodejs)_/.test(name);

function lintLabels({ name, labels }: Series): readonly string[] {
  return Object.keys(labels)
    .filter((label) => !/^[a-z][a-z0-9_]*$/.test(label))
    .map((label) => `${name}: the label ${label} is not in snake_case`);
}
