import { expect, test } from 'vitest';
import { isShownTo, viewOf } from '../../../../actors/comments/comment-view.ts';
import { deepestLevel, placeBelow } from '../../../../actors/comments/thread-place.ts';
import { Comment } from '../../../../cluster/contract/api/audience-views.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';
import { ada, bob, identityOf, storedComment } from '../../../support/audience/written.ts';

const plain = storedComment(1000);
const hidden = storedComment(1000, { hidden: { by: 'operator', atMs: 2000 } });
const held = storedComment(1000, { isHeld: true });
const readers = {
  nobody: undefined,
  author: identityOf(ada),
  other: identityOf(bob),
  moderator: identityOf(bob, ['comment.hide']),
  elsewhere: { ...identityOf(bob, ['comment.hide']), stream: StreamId.parse('other') },
};

test.each([
  ['a plain comment', plain, ['nobody', 'author', 'other', 'moderator', 'elsewhere']],
  ['a hidden comment', hidden, ['moderator']],
  ['a held comment', held, ['author', 'moderator']],
])('who sees %s', (_name, comment, seenBy) => {
  const shown = Object.entries(readers).filter(([, reader]) => isShownTo(reader, comment));
  expect(shown.map(([name]) => name)).toEqual(seenBy);
});

test('of a hidden comment only moderators get the text', () => {
  const texts = Object.values(readers).map((reader) => viewOf(hidden, reader).text);
  expect(texts).toEqual(['', '', '', 'at 1000', '']);
});

test('a view is what the API promises, and leaves out what says nothing', () => {
  expect(Comment.parse(viewOf(plain, undefined))).toEqual(viewOf(plain, undefined));
  expect(viewOf(plain, undefined)).toEqual({
    id: plain.id,
    streamId: 'news',
    author: { id: 'g-ada', name: 'Ada' },
    text: 'at 1000',
    createdAt: '1970-01-01T00:00:01.000Z',
    likes: 0,
    hidden: false,
    region: 'region-1',
    acknowledged: 'accepted',
  });
});

test('a comment that another region is known to have says so, and its text for those who may see it stays the same', () => {
  const told = { likes: 0, replies: 0, isReplicated: true };
  expect(viewOf(plain, undefined, told)).toEqual({ ...viewOf(plain, undefined), acknowledged: 'replicated' });
});

// Method: each comment answers the one before it, three levels further than the deepest.
test('answers hang up to eight levels below their root, deeper ones beside their true parent', () => {
  let parent = plain;
  for (let level = 1; level <= deepestLevel + 3; level += 1) {
    const place = placeBelow(parent);
    expect({ ...place, depth: place.path.length }).toMatchObject({
      parentId: parent.id,
      rootId: plain.id,
      depth: Math.min(level, deepestLevel),
    });
    parent = storedComment(1000 + level, place);
  }
});
