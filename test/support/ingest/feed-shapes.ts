/** The same feed as encoders and relays of other habits would send it. */
import { joinLengthPrefixed, splitLengthPrefixed } from '../../../actors/media/avc/nal-units.ts';
import type { Feed, FeedTag } from '../media/media-feed.ts';

/** Of a legacy FLV video tag: frame type and codec, packet type, composition time. */
const headBytes = 5;
const isPicture = ({ type, body }: FeedTag): boolean => type === 9 && body[1] === 1;

function mapPictures(feed: Feed, change: (nals: readonly Uint8Array[]) => readonly Uint8Array[]): Feed {
  const tags = feed.tags.flatMap((tag) =>
    isPicture(tag)
      ? change(splitLengthPrefixed(tag.body.subarray(headBytes), 4)).map((data) => ({
          ...tag,
          body: Buffer.concat([tag.body.subarray(0, headBytes), data]),
        }))
      : [tag],
  );
  return { ...feed, tags };
}

/** H.264: a message for each NAL unit. */
export const unitByUnit = (feed: Feed): Feed =>
  mapPictures(feed, (nals) => nals.map((nal) => joinLengthPrefixed([nal])));

/** H.264: start codes in place of lengths. */
export const asAnnexB = (feed: Feed): Feed =>
  mapPictures(feed, (nals) => [Buffer.concat(nals.flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]))]);

/** AAC frames alone. */
export const withoutAudioHeader = (feed: Feed): Feed => ({
  ...feed,
  headers: feed.headers.filter(({ type }) => type !== 8),
});
