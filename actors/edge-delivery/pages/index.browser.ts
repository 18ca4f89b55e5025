/** The index page: what is on air, asked again every 5 s while somebody looks. */
interface LiveStream {
  readonly id: string;
  readonly title: string;
  readonly page: string;
}

const everyMs = 5000;
const list = find('streams');
const empty = find('empty');

async function refresh(): Promise<void> {
  if (document.hidden) return;
  const reply = await fetch('/v1/live').catch(() => undefined);
  if (reply?.ok !== true) return;
  const { items }: { items: readonly LiveStream[] } = await reply.json();
  list.replaceChildren(...items.map(card));
  empty.hidden = items.length > 0;
}

function card({ id, title, page }: LiveStream): HTMLElement {
  const link = document.createElement('a');
  link.className = 'card';
  link.href = page;
  const picture = document.createElement('img');
  picture.alt = '';
  picture.src = `/live/${encodeURIComponent(id)}/thumbnail.jpg`;
  const line = document.createElement('div');
  const name = document.createElement('strong');
  name.textContent = title;
  const badge = document.createElement('span');
  badge.className = 'badge live';
  badge.textContent = 'LIVE';
  line.append(name, badge);
  link.append(picture, line);
  const item = document.createElement('li');
  item.append(link);
  return item;
}

function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

void refresh();
setInterval(() => void refresh(), everyMs);
