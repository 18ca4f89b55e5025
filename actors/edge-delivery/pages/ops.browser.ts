/** The operator page: nodes, streams and their health, every 2 s. The token stays in this tab's session storage. */
interface Cluster {
  readonly asOf: string;
  readonly stale?: { readonly ageMs: number; readonly reason: string };
  readonly nodes: readonly {
    readonly id: string;
    readonly region: string;
    readonly state: string;
    readonly roles: readonly string[];
    readonly load: { readonly onAir?: number };
    readonly http: string;
    readonly rtmp: string;
  }[];
  readonly placements: readonly {
    readonly streamId: string;
    readonly owner: string;
    readonly epoch: number;
    readonly since: string;
    readonly reason: string;
  }[];
}
interface Health {
  readonly state: string;
  readonly input?: {
    readonly videoCodec?: string;
    readonly width?: number;
    readonly height?: number;
    readonly fps?: number;
    readonly audioCodec?: string;
    readonly bitrateBps?: number;
  };
  readonly renditions: readonly { readonly name: string; readonly lagMs: number; readonly gaps: number }[];
}

const everyMs = 2000;
const login = find('login', HTMLFormElement);
const token = find('token', HTMLInputElement);

login.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', token.value);
  void refresh();
});

async function refresh(): Promise<void> {
  const held = sessionStorage.getItem('token');
  const reply = held === null ? undefined : await ask('/v1/cluster', held);
  login.hidden = reply?.ok === true;
  find('cluster', HTMLElement).hidden = reply?.ok !== true;
  if (reply?.status === 401) find('login-error', HTMLElement).textContent = 'That token is not taken.';
  if (held === null || reply?.ok !== true) return;
  const cluster: Cluster = await reply.json();
  const { asOf, stale } = cluster;
  const age = stale === undefined ? '' : `, ${Math.round(stale.ageMs / 1000)} s ago: ${stale.reason}`;
  find('as-of', HTMLElement).textContent = `as of ${asOf}${age}`;
  find('nodes', HTMLElement).replaceChildren(
    ...cluster.nodes.map(({ id, region, state, load, roles, http, rtmp }) =>
      row([
        id,
        region,
        mark(state, state === 'alive'),
        String(load.onAir ?? '?'),
        roles.join(', '),
        http,
        rtmp,
      ]),
    ),
  );
  const rows = await Promise.all(cluster.placements.map((placement) => streamRow(placement, held)));
  find('placements', HTMLElement).replaceChildren(...rows);
}

async function streamRow(
  { streamId, owner, epoch, since, reason }: Cluster['placements'][number],
  held: string,
): Promise<HTMLElement> {
  const reply = await ask(`/v1/streams/${encodeURIComponent(streamId)}/health`, held);
  const health: Health | undefined = reply?.ok === true ? await reply.json() : undefined;
  const state = health?.state ?? 'unknown';
  return row([
    streamId,
    mark(state, state === 'live'),
    owner,
    String(epoch),
    since,
    reason,
    health?.input === undefined ? '' : describeInput(health.input),
    (health?.renditions ?? [])
      .map(
        ({ name, lagMs, gaps }) =>
          `${name} ${(lagMs / 1000).toFixed(1)} s${gaps > 0 ? `, ${gaps} gaps` : ''}`,
      )
      .join(' · '),
  ]);
}

function describeInput({
  videoCodec,
  width,
  height,
  fps,
  audioCodec,
  bitrateBps,
}: NonNullable<Health['input']>): string {
  const size = width === undefined ? '' : ` ${width}x${height} ${fps?.toFixed(2) ?? ''} fps`;
  const bitrate = bitrateBps === undefined ? '' : `${Math.round(bitrateBps / 1000)} kbit/s`;
  return [`${videoCodec ?? ''}${size}`, audioCodec ?? '', bitrate].filter((part) => part !== '').join(', ');
}

async function ask(path: string, held: string): Promise<Response | undefined> {
  return fetch(path, { headers: { authorization: `Bearer ${held}` } }).catch(() => undefined);
}

function mark(text: string, isGood: boolean): HTMLElement {
  const element = document.createElement('span');
  element.className = isGood ? 'good' : 'bad';
  element.textContent = text;
  return element;
}

function row(cells: readonly (string | HTMLElement)[]): HTMLElement {
  const line = document.createElement('tr');
  for (const cell of cells) {
    const data = document.createElement('td');
    data.append(cell);
    line.append(data);
  }
  return line;
}

function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no #${id}`);
  return element;
}

void refresh();
setInterval(() => void refresh(), everyMs);
