/** The index page: shows what is on air. It asks again every few seconds while the page is visible. */
import { timeOfDay } from '../viewing/time-of-day.ts';

interface LiveStream {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly since?: string;
  readonly page: string;
  /** Only where there are several. */
  readonly region?: string;
  readonly unheard?: { readonly since: string };
}

const everyMs = 5000;
const mostMs = 30_000;
const timeoutMs = 4000;
/** The server makes new pictures after this time. */
const pictureMs = 10_000;

const list = find('streams');
const summary = find('summary');
const cards = new Map<string, HTMLElement>();
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let isAsking = false;

function ask(): void {
  clearTimeout(timer);
  if (!isAsking) void refresh();
}

async function refresh(): Promise<void> {
  isAsking = true;
  const items = await fetchLive();
  isAsking = false;
  failures = items === undefined ? failures + 1 : 0;
  if (items !== undefined) show(items);
  // One unanswered question is not reported while the page shows something.
  else if (failures > 1 || cards.size === 0) showFailure();
  if (!document.hidden) timer = setTimeout(ask, Math.min(everyMs * 2 ** Math.min(failures, 5), mostMs));
}

async function fetchLive(): Promise<readonly LiveStream[] | undefined> {
  try {
    const reply = await fetch('/v1/live', { signal: AbortSignal.timeout(timeoutMs) });
    if (!reply.ok) return undefined;
    const { items }: { items: readonly LiveStream[] } = await reply.json();
    return items;
  } catch {
    return undefined;
  }
}

function show(items: readonly LiveStream[]): void {
  find('failed').hidden = true;
  find('empty').hidden = items.length > 0;
  list.hidden = items.length === 0;
  list.setAttribute('aria-busy', 'false');
  tell(items.length === 0 ? '' : items.length === 1 ? '1 broadcast' : `${items.length} broadcasts`);
  for (const id of cards.keys()) if (!items.some((one) => one.id === id)) cards.delete(id);
  // The cards remain the same elements, so that pictures do not flicker and the focus is kept.
  const wanted = items.map((item) => {
    const card = cards.get(item.id) ?? makeCard(item);
    cards.set(item.id, card);
    fill(card, item);
    return card;
  });
  if (list.children.length !== wanted.length || wanted.some((card, index) => list.children[index] !== card))
    list.replaceChildren(...wanted);
}

function showFailure(): void {
  find('failed').hidden = false;
  find('empty').hidden = true;
  find('why').textContent = navigator.onLine
    ? 'No server can answer at the moment. The page tries again by itself.'
    : 'You are offline. The page goes on by itself when the connection is back.';
  list.hidden = cards.size === 0;
  tell(cards.size === 0 ? '' : 'As last known');
  // Nobody knows whether they still are.
  for (const badge of list.querySelectorAll('.badge')) badge.classList.remove('live');
}

function tell(text: string): void {
  if (summary.textContent !== text) summary.textContent = text;
}

function makeCard({ page }: LiveStream): HTMLElement {
  const item = document.createElement('li');
  item.innerHTML = `<a class="card"><span class="picture"><img alt="" loading="lazy" /><span class="badge"></span></span>
    <strong></strong><small class="quiet"></small></a>`;
  const link = item.querySelector('a');
  if (link !== null) link.href = page;
  const image = item.querySelector('img');
  image?.addEventListener('error', () => (image.style.visibility = 'hidden'));
  image?.addEventListener('load', () => (image.style.visibility = 'visible'));
  return item;
}

function fill(card: HTMLElement, stream: LiveStream): void {
  const { id, title, state, unheard } = stream;
  const [badge, name, began] = [
    card.querySelector('.badge'),
    card.querySelector('strong'),
    card.querySelector('small'),
  ];
  const isLive = state === 'live' || state === 'degraded';
  if (badge !== null) {
    badge.className = unheard !== undefined ? 'badge away' : isLive ? 'badge live' : 'badge';
    badge.textContent = unheard !== undefined ? 'LINK DOWN' : isLive ? 'LIVE' : 'STARTING';
  }
  if (name !== null && name.textContent !== title) name.textContent = title;
  const words = lineOf(stream);
  if (began !== null && began.textContent !== words) began.textContent = words;
  const image = card.querySelector('img');
  const picture = `/live/${encodeURIComponent(id)}/thumbnail.jpg?${Math.floor(Date.now() / pictureMs)}`;
  if (image !== null && image.getAttribute('src') !== picture) image.src = picture;
}

/** When it began and where, where there are several regions; or since when nothing is heard of it. */
function lineOf({ since, region, unheard }: LiveStream): string {
  if (unheard !== undefined) return `in ${region ?? ''}, not heard since ${clock(unheard.since)}`;
  const began = since === undefined ? [] : [`since ${clock(since)}`];
  return [...began, ...(region === undefined ? [] : [`in ${region}`])].join(', ');
}

const clock = (since: string): string => timeOfDay(new Date(since));

function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** The page comes with the address; without one it names a form of it. */
function showPublishUrl(): void {
  const data: unknown = JSON.parse(document.getElementById('page-data')?.textContent ?? '{}');
  if (typeof data !== 'object' || data === null || !('publish' in data)) return;
  if (typeof data.publish === 'string') find('publish').textContent = data.publish;
}

showPublishUrl();
find('again').addEventListener('click', ask);
document.addEventListener('visibilitychange', () => void (document.hidden || ask()));
for (const change of ['online', 'offline']) window.addEventListener(change, ask);
ask();
