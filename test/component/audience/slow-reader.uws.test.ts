/** A page that reads too slowly costs the node a bounded memory, and its neighbours nothing (A8). */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startAudienceEdge, type AudienceEdge } from '../../support/audience/audience-edge.ts';
import { openPage, welcomedPage, type PageSocket } from '../../support/audience/page-socket.ts';
import { added, commentOf, demo, hidden } from '../../support/audience/said.ts';
import { waitUntil } from '../../support/wait.ts';

/** The connection under a page. */
function tcpOf(page: PageSocket): Socket {
  const socket: unknown = Reflect.get(page.socket, '_socket');
  return socket as Socket;
}

/** How many readers get nothing of their stream for now. */
const left = (edge: AudienceEdge): Promise<number> =>
  edge.metric('tangaza_socket_slow_readers{[^}]*gets="nothing"[^}]*}');

/** Says so much that no kernel keeps it all for a reader who takes nothing. @returns how many comments */
async function flood(
  edge: AudienceEdge,
  other: PageSocket,
  from: number,
  isEnough: () => Promise<boolean>,
): Promise<number> {
  let number = from;
  await waitUntil('the reader is far behind', async () => {
    for (let count = 0; count < 100; count += 1) {
      number += 1;
      edge.feed.tell(demo, added(commentOf(number, { text: 'x'.repeat(2000) })));
    }
    await other.comments(number);
    return isEnough();
  });
  return number;
}

// Goal: who falls behind loses nothing for good, and does not hold up others. Method: a page stops reading; another reads on while so much
// is said that both topics are left; a comment is hidden meanwhile; then the first reads again.
test('a page that stops reading and reads on is told what it missed: each hide, and a gap', async () => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  await using page = await welcomedPage(edge.url);
  tcpOf(page).pause();
  const said = await flood(edge, other, 0, async () => (await left(edge)) === 1);
  edge.feed.tell(demo, hidden(commentOf(1)));
  await other.next('commentUpdated');
  tcpOf(page).resume();
  const gap = await page.next('gap');
  expect(page.heard.some((message) => message.type === 'commentUpdated' && message.comment.hidden)).toBe(
    true,
  );
  expect(gap.from < gap.to).toBe(true);
  await expect.poll(() => left(edge)).toBe(0);
  edge.feed.tell(demo, added(commentOf(said + 1)));
  await waitUntil('it hears the newest', () =>
    page.heard.some((message) => message.type === 'comment' && message.comment.id === commentOf(said + 1).id),
  );
  const ids = page.heard.flatMap((message) => (message.type === 'comment' ? [message.comment.id] : []));
  expect({ twice: ids.length - new Set(ids).size, isInOrder: ids.join() === ids.toSorted().join() }).toEqual({
    twice: 0,
    isInOrder: true,
  });
});

test('a page that reads nothing for 30 s is cut off, and others hear everything', async () => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  await using page = await openPage(edge.url, { hello: {} });
  await page.next('welcome');
  tcpOf(page).pause();
  const closed = once(page.socket, 'close');
  const said = await flood(edge, other, 0, async () => (await left(edge)) === 1);
  edge.pass(31_000);
  await expect.poll(() => edge.metric('tangaza_socket_ended_total')).toBe(1);
  edge.feed.tell(demo, added(commentOf(said + 1)));
  expect((await other.comments(said + 1)).length).toBe(said + 1);
  tcpOf(page).resume();
  await closed;
});
