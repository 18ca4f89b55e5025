/** The operator page: nodes, streams, and what may be done with them. It asks again 2 s after each answer, while the tab is visible. */
import type { AudienceView } from '../../../cluster/contract/audience/reactions.ts';
import { neverOnAir } from '../../../cluster/contract/offline-health.ts';
import type { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import type {
  ClusterView,
  LiveStreams,
  RegionsView,
  StreamView,
} from '../../../cluster/contract/api/control-views.ts';
import * as actions from './ops-actions.browser.ts';
import { api, ApiError, token } from './ops-api.browser.ts';
import { button, element, find, lineElement, markElement, row, showRows } from './ops-elements.browser.ts';
import { regionWords } from './ops-region-words.ts';
import {
  audienceText,
  awayMark,
  duration,
  inputText,
  nodeMark,
  publisherLine,
  renditionLines,
  streamMark,
  summaryOf,
  type Mark,
} from './ops-words.ts';

const everyMs = 2000;
const pageSize = 50;
/** How many streams are asked for their health at once. */
const askedAtOnce = 6;
/** One that is not on air changes seldom, and its home in another region may have to be asked. */
const idleEveryMs = 20_000;

const login = find('login', HTMLFormElement);
const tokenInput = find('token', HTMLInputElement);
const loginError = find('login-error', HTMLElement);
const signOut = find('sign-out', HTMLButtonElement);
const notice = find('notice', HTMLElement);
const cluster = find('cluster', HTMLElement);
const summary = find('summary', HTMLElement);
const brake = find('brake', HTMLElement);
const more = find('more', HTMLButtonElement);

let shownPages = 1;
let suspects: readonly string[] = [];
/** The nodes by id, from the last answer. The button of a row may live longer than that answer. */
let nodes: ReadonlyMap<string, ClusterView['nodes'][number]> = new Map();
let timer: ReturnType<typeof setTimeout> | undefined;
/** Whether there is no other region; only a restart changes it. */
let isAlone: boolean | undefined;
let isAsking = false;
let isAskedAgain = false;
/** What was told lately of streams that are not on air, by id. */
let idle: ReadonlyMap<string, Idle> = new Map();

/** Asks now, or after the answer that is under way. It never asks twice at once. */
function refresh(): void {
  clearTimeout(timer);
  if (isAsking) {
    isAskedAgain = true;
    return;
  }
  isAsking = true;
  void look().finally(() => {
    isAsking = false;
    timer = setTimeout(refresh, isAskedAgain ? 0 : everyMs);
    isAskedAgain = false;
  });
}

async function look(): Promise<void> {
  if (token.get() === '') return showLogin(loginError.textContent);
  if (document.hidden) return;
  try {
    const [view, { streams, hasMore }, live, regions] = await Promise.all([
      api.cluster(),
      listStreams(),
      api.live().catch(() => ({ items: [] })),
      isAlone === true ? undefined : api.regions().catch(() => undefined),
    ]);
    showCluster(view);
    if (regions !== undefined) showRegions(regions);
    await showStreams(streams, view, live.items);
    more.hidden = !hasMore;
    notice.hidden = true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      token.forget();
      return showLogin(
        'That token is not accepted. npm start prints it in the line “API token”; elsewhere it is TANGAZA_OPERATOR_TOKEN of the nodes.',
      );
    }
    notice.textContent = error instanceof Error ? error.message : String(error);
    notice.hidden = false;
  }
}

async function listStreams(): Promise<{
  readonly streams: readonly StreamView[];
  readonly hasMore: boolean;
}> {
  const streams: StreamView[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < shownPages; page++) {
    const reply = await api.streams(pageSize, cursor);
    streams.push(...reply.items);
    cursor = reply.nextCursor;
    if (cursor === undefined) break;
  }
  return { streams, hasMore: cursor !== undefined };
}

function showLogin(why: string): void {
  login.hidden = false;
  cluster.hidden = true;
  signOut.hidden = true;
  notice.hidden = true;
  loginError.textContent = why;
  summary.textContent = 'The token opens the whole control API.';
}

function showCluster(view: ClusterView): void {
  login.hidden = true;
  loginError.textContent = '';
  cluster.hidden = false;
  signOut.hidden = false;
  summary.textContent = summaryOf(view);
  nodes = new Map(view.nodes.map((node) => [node.id, node]));
  suspects = view.nodes.filter(({ isSuspected }) => isSuspected).map(({ id }) => id);
  brake.hidden = suspects.length === 0;
  find('brake-title', HTMLElement).textContent =
    `${suspects.join(', ')} ${suspects.length === 1 ? 'does' : 'do'} not answer.`;
  showRows(find('nodes', HTMLElement), view.nodes.map(nodeRow));
}

function nodeRow(node: ClusterView['nodes'][number]): HTMLElement {
  const { id, region, state, load, roles, http, rtmp } = node;
  const drain = button('Drain…', `Drain ${id}`, () => actions.drainNode(nodes.get(id) ?? node, refresh));
  return row(id, [
    ['Node', [lineElement({ text: id, detail: region })]],
    ['State', [markElement(nodeMark(node))]],
    ['On air', [lineElement({ text: String(load.onAir ?? '–') })]],
    ['Connections', [lineElement({ text: load.connections?.toLocaleString('en') ?? '–' })]],
    ['Roles', [lineElement({ text: roles.join(', ') })]],
    ['Addresses', [lineElement({ text: http, detail: rtmp })]],
    ['Actions', [element('div', state === 'alive' ? [drain] : [], { class: 'actions' })]],
  ]);
}

/** Without an answer the table stays as it was. */
function showRegions(view: RegionsView): void {
  const regions = regionWords(view);
  isAlone = regions.length === 0;
  find('all-regions', HTMLElement).hidden = isAlone;
  const rows = regions.map(({ id, name, link, linkDetail, streams, connections, across, clock }) =>
    row(id, [
      ['Region', [lineElement(name)]],
      ['Link', [markElement(link), element('small', linkDetail)]],
      ['On air', [lineElement({ text: streams })]],
      ['Connections', [lineElement({ text: connections })]],
      ['Bytes across', across === undefined ? [] : [lineElement(across)]],
      ['Clock', clock === undefined ? [] : [lineElement(clock)]],
    ]),
  );
  showRows(find('regions', HTMLElement), rows);
}

/** @param live what is on air, in other regions, too */
async function showStreams(
  streams: readonly StreamView[],
  view: ClusterView,
  live: LiveStreams['items'],
): Promise<void> {
  find('no-streams', HTMLElement).hidden = streams.length > 0;
  const owned = new Map(view.placements.map((placement) => [placement.streamId, placement]));
  const here = new Set(view.regions.map(({ id }) => id));
  const away = new Map(
    live.flatMap((one) => (one.region === undefined || here.has(one.region) ? [] : [[one.id, one]])),
  );
  // One that is over in another region has no owner here, and only its health tells of it.
  const mayBeOfOthers = isAlone === false;
  const isIdle = (id: StreamView['id']): boolean => !owned.has(id) && !away.has(id);
  const asked = streams.map(({ id }) => id).filter((id) => mayBeOfOthers || !isIdle(id));
  const healths = await healthsOf(asked, isIdle);
  const rows = streams.map((stream) => {
    const health = healths.get(stream.id);
    const elsewhere = away.get(stream.id);
    if (elsewhere !== undefined) return streamRow(stream, awayMark(elsewhere, Date.now()), health);
    const wasOnAir = owned.has(stream.id) || (health !== undefined && health.reason !== neverOnAir);
    const mark: Mark = wasOnAir ? streamMark(health) : { text: neverOnAir, tone: 'quiet' };
    return streamRow(stream, mark, health);
  });
  showRows(find('streams', HTMLElement), rows);
}

/** What the node answers, of some streams at once; of one that is idle also what it answered lately. */
async function healthsOf(
  ids: readonly StreamView['id'][],
  isIdle: (id: StreamView['id']) => boolean,
): Promise<ReadonlyMap<string, Told>> {
  const healths = new Map<string, Told>();
  const idleNow = new Map<string, Idle>();
  const waiting = [...ids];
  const askNext = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const lately = isIdle(id) ? idle.get(id) : undefined;
      const isFresh = lately !== undefined && Date.now() - lately.atMs < idleEveryMs;
      const told = isFresh ? lately.told : await ask(id);
      if (told === undefined) continue;
      healths.set(id, told);
      if (isIdle(id)) idleNow.set(id, isFresh ? lately : { atMs: Date.now(), told });
    }
  };
  await Promise.all(Array.from({ length: askedAtOnce }, askNext));
  idle = idleNow;
  return healths;
}

/** Undefined when the node does not answer. */
async function ask(id: string): Promise<Told | undefined> {
  const [health, audience] = await Promise.all([
    api.health(id).catch(() => undefined),
    api.audience(id).catch(() => undefined),
  ]);
  return health === undefined ? undefined : { ...health, audience };
}

function streamRow(stream: StreamView, mark: Mark, health: Told | undefined): HTMLElement {
  const { id, title } = stream;
  const link = element('a', title, { href: `/watch/${encodeURIComponent(id)}` });
  const input = health?.input === undefined ? '' : inputText(health.input);
  return row(id, [
    ['Stream', [link, element('small', id)]],
    ['State', [markElement(mark), ...whyLines(health), ...audienceLines(health?.audience)]],
    ['Owner', [ownerLine(health)]],
    [
      'Input',
      [
        ...(input === '' ? [] : [lineElement({ text: input })]),
        ...(health?.sessions ?? []).map((one) => lineElement(publisherLine(one))),
      ],
    ],
    ['Renditions', health === undefined ? [] : renditionLines(health).map(lineElement)],
    [
      'Actions',
      [
        element(
          'div',
          [
            button('New key…', `New key for ${title}`, () => actions.rotateKey(stream, refresh)),
            button('Delete…', `Delete ${title}`, () => actions.deleteStream(stream, refresh)),
          ],
          { class: 'actions' },
        ),
      ],
    ],
  ]);
}

/** What is asked of a stream that is, or was, on air. */
interface Told extends StreamHealth {
  readonly audience?: AudienceView | undefined;
}

interface Idle {
  readonly atMs: number;
  readonly told: Told;
}

function audienceLines(audience: AudienceView | undefined): readonly HTMLElement[] {
  return audience === undefined ? [] : [element('small', audienceText(audience))];
}

/** A live stream needs no explanation, and the mark of one that was never on air says it already. */
function whyLines(health: StreamHealth | undefined): readonly HTMLElement[] {
  if (health === undefined || health.state === 'live' || health.reason === neverOnAir) return [];
  return [element('small', health.reason)];
}

function ownerLine(health: StreamHealth | undefined): HTMLElement {
  if (health?.owner === undefined) return lineElement({ text: '–' });
  const { owner, epoch, since, ownedBecause, successors } = health;
  const age = since === undefined ? '' : `for ${duration(Date.now() - Date.parse(since))}`;
  const next = successors[0] === undefined ? 'nobody is next' : `next: ${successors[0]}`;
  const detail = [age, ownedBecause ?? '', `epoch ${epoch ?? '?'}`, next];
  return lineElement({ text: owner, detail: detail.filter((part) => part !== '').join(' · ') });
}

login.addEventListener('submit', (event) => {
  event.preventDefault();
  token.set(tokenInput.value);
  tokenInput.value = '';
  refresh();
});
signOut.addEventListener('click', () => {
  token.forget();
  showLogin('');
  tokenInput.focus();
});
more.addEventListener('click', () => {
  shownPages += 1;
  refresh();
});
find('new-stream', HTMLButtonElement).addEventListener('click', () => actions.createStream(refresh));
find('release', HTMLButtonElement).addEventListener('click', () => actions.releaseBrake(suspects, refresh));
document.addEventListener('visibilitychange', refresh);
// The scripts run: the words of a page without them go, even while the cluster does not answer or nobody looks.
summary.textContent = 'Asking the cluster…';
refresh();
