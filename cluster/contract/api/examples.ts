/** Examples for each operation of the API. The OpenAPI document shows them, and a test checks them against the schemas. */
export interface Example {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly reply?: unknown;
}

const id = 'news';
const base = 'https://live.example.org';
const stream = {
  id,
  title: 'Evening news',
  ladder: 'default',
  createdAt: '2026-11-30T18:00:00.000Z',
  updatedAt: '2026-11-30T18:00:00.000Z',
  ingest: [
    { region: 'region-1', url: 'rtmp://ingest-1.example.org/live', role: 'primary' },
    { region: 'region-1', url: 'rtmp://ingest-2.example.org/live', role: 'backup' },
  ],
  playback: {
    dash: `${base}/live/${id}/manifest.mpd`,
    hls: `${base}/live/${id}/main.m3u8`,
    page: `${base}/watch/${id}`,
  },
};
const streamWithKey = { ...stream, streamKey: 'news_Zm9vYmFyYmF6' };
const ofStream = { params: { id } };
const video = { id, rendition: 'h264-720p' };

const comment = {
  id: 'news~06h2js98ffhqat6evpcqinsbh8',
  streamId: id,
  author: { id: 'g-4f1c2b7e9a11', name: 'Amina' },
  text: 'Habari za jioni!',
  createdAt: '2026-11-30T18:05:00.123Z',
  mediaTime: 298.5,
  likes: 0,
  hidden: false,
  region: 'region-1',
  acknowledged: 'accepted',
};
const answer = {
  ...comment,
  id: 'news~06h2js98ffhqat6evpcqinsbhg',
  text: 'Nzuri!',
  parentId: comment.id,
  rootId: comment.id,
  depth: 1,
};
const clientId = '019ad5f0-3f7b-7c3e-8a51-2f6d0c9b1e77';
const ofComment = { params: { id: comment.id } };
const guest = { id: comment.author.id, name: comment.author.name, kind: 'guest' };
const ban = {
  streamId: id,
  userId: guest.id,
  by: 'a-eve',
  at: '2026-11-30T18:06:00.000Z',
  until: '2026-11-30T19:06:00.000Z',
  reason: 'Shouting',
};
const slowMode = { mode: 'open', slowSeconds: 10 };

export const examples: Readonly<Record<string, Example>> = {
  createStream: { body: { title: 'Evening news', id }, reply: streamWithKey },
  listStreams: {
    query: { limit: 20 },
    reply: { items: [stream], nextCursor: 'czE6MTc5NDk2MzYwMDAwMDpuZXdz' },
  },
  getStream: { ...ofStream, reply: stream },
  updateStream: { ...ofStream, body: { title: 'Late news' }, reply: { ...stream, title: 'Late news' } },
  deleteStream: ofStream,
  liveSocket: ofStream,
  react: { ...ofStream, body: { kind: 'heart', mediaTime: comment.mediaTime } },
  getAudience: {
    ...ofStream,
    reply: { players: 1200, sockets: 950, users: 310, suspectedRobots: 4, asOf: '2026-11-30T18:00:00.000Z' },
  },
  rotateKey: { ...ofStream, reply: streamWithKey },
  streamHealth: {
    ...ofStream,
    reply: {
      state: 'live',
      owner: 'region-1-node-1',
      region: 'region-1',
      epoch: 3,
      since: '2026-11-30T18:00:02.000Z',
      reason: 'first publish',
      ownedBecause: 'first publish',
      successors: ['region-1-node-2'],
      asOf: '2026-11-30T18:05:00.000Z',
      input: { videoCodec: 'avc1.64001f', fps: 25, bitrateBps: 2_500_000, lastPacketAgeMs: 12, warnings: [] },
      renditions: [{ name: 'h264-720p', lagMs: 2400, gaps: 0, recentGaps: 0 }],
    },
  },
  streamEdges: {
    ...ofStream,
    reply: {
      items: [{ id: 'region-1-node-1', region: 'region-1', url: base, why: 'inYourRegion' }],
      revision: 7,
    },
  },
  publicStream: {
    ...ofStream,
    reply: {
      id,
      title: 'Evening news',
      state: 'live',
      since: '2026-11-30T18:00:02.000Z',
      poster: `${base}/live/${id}/thumbnail.jpg`,
    },
  },
  liveStreams: {
    reply: {
      items: [
        {
          id,
          title: 'Evening news',
          state: 'live',
          page: `/watch/${id}`,
          since: '2026-11-30T18:00:02.000Z',
          viewers: 1200,
        },
      ],
    },
  },
  showCluster: {
    reply: {
      regions: [{ id: 'region-1', nodes: 1, alive: 1 }],
      nodes: [
        {
          id: 'region-1-node-1',
          region: 'region-1',
          host: 'live-1',
          pid: 4711,
          bootId: '5f0c2b7e9a11',
          state: 'alive',
          isSuspected: false,
          roles: ['ingest', 'transcode-worker', 'edge-delivery', 'control'],
          load: { streams: 1, onAir: 1, connections: 250 },
          http: base,
          rtmp: 'rtmp://ingest-1.example.org/live',
        },
      ],
      placements: [
        {
          streamId: id,
          owner: 'region-1-node-1',
          region: 'region-1',
          epoch: 3,
          since: '2026-11-30T18:00:02.000Z',
          reason: 'first publish',
        },
      ],
      asOf: '2026-11-30T18:05:00.000Z',
    },
  },
  showRegions: {
    reply: {
      topologyVersion: 2,
      regions: [
        {
          id: 'region-1',
          ordinal: 0,
          isOwn: true,
          isReached: true,
          nodes: 2,
          alive: 2,
          onAir: 1,
          connections: 250,
          links: [
            {
              to: 'region-2',
              isUp: true,
              forSeconds: 3600,
              roundTripMs: 84.2,
              clockOffsetMs: -3,
              gateways: ['region-1-node-1', 'region-1-node-2'],
              bytesIn: 120_400,
              bytesOut: 48_211_000,
              mediaBytesIn: 1_290_300_000,
            },
          ],
        },
        {
          id: 'region-2',
          ordinal: 1,
          isOwn: false,
          isReached: false,
          ageSeconds: 41.5,
          nodes: 2,
          alive: 2,
          onAir: 0,
          connections: 90,
          links: [],
        },
      ],
    },
  },
  drainNode: {
    params: { id: 'region-1-node-1' },
    body: { force: false },
    reply: { node: 'region-1-node-1', state: 'draining', withinSeconds: 30 },
  },
  releaseBrake: { reply: { released: ['region-1-node-3'] } },
  dashManifest: { ...ofStream, query: { device: 'phone' } },
  hlsMainPlaylist: { ...ofStream, query: { device: 'phone' } },
  hlsMediaPlaylist: { params: video },
  initSegment: { params: { ...video, period: 12 } },
  mediaSegment: { params: { ...video, period: 12, startTime: 180_000 } },
  contentSteering: { ...ofStream, query: { _DASH_pathway: 'region-1-node-1' } },
  thumbnail: ofStream,
  videoFrame: {
    ...ofStream,
    query: { deviceType: 'phone', offsetSeconds: 600, durationSeconds: 10 },
    reply: {
      streamId: id,
      deviceType: 'phone',
      rendition: 'h264-360p',
      offsetSeconds: 600,
      durationSeconds: 10,
      width: 640,
      height: 360,
      codecs: 'avc1.64001e,mp4a.40.2',
      startsAt: '2026-11-30T18:10:02.000Z',
      segments: [
        {
          url: `${base}/live/${id}/12/h264-360p/54000000.m4s`,
          init: `${base}/live/${id}/12/h264-360p/init.mp4`,
          rendition: 'h264-360p',
          startTime: 54_000_000,
          durationSeconds: 2,
          bytes: 151_204,
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        },
      ],
      next: `${base}/v1/videos/${id}/frames?deviceType=phone&offsetSeconds=610&durationSeconds=10`,
    },
  },
  postComment: {
    ...ofStream,
    body: { text: comment.text, clientId, mediaTime: comment.mediaTime },
    reply: { ...comment, clientId, receipt: 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl' },
  },
  listComments: {
    ...ofStream,
    query: { limit: 50, mine: 'false' },
    reply: { items: [comment], nextCursor: comment.id },
  },
  getThread: {
    ...ofComment,
    query: { limit: 50, mine: 'false' },
    reply: { root: { ...comment, replies: 1 }, items: [answer] },
  },
  likeComment: { ...ofComment, query: {} },
  unlikeComment: { ...ofComment, query: {} },
  hideComment: { ...ofComment, reply: { ...comment, text: '', hidden: true } },
  restoreComment: { ...ofComment, body: { reason: 'It was no offence.' }, reply: comment },
  listBans: { ...ofStream, query: { limit: 50 }, reply: { items: [ban] } },
  banUser: {
    params: { id, userId: guest.id },
    body: { seconds: 3600, reason: 'Shouting', purge: true },
    reply: { ...ban, purged: 3 },
  },
  unbanUser: { params: { id, userId: guest.id } },
  reportComment: { ...ofComment, body: { reason: 'Spam' } },
  releaseComment: { ...ofComment, body: { reason: 'It is fine.' }, reply: comment },
  listAudit: {
    ...ofStream,
    query: { limit: 50 },
    reply: { items: [{ at: ban.at, by: ban.by, act: 'user.ban', on: guest.id, reason: ban.reason }] },
  },
  eraseUser: { params: { id: guest.id }, body: { reason: 'They asked for it.' }, reply: { comments: 12 } },
  createGuest: {
    body: { name: guest.name },
    reply: { token: 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl', user: guest },
  },
  whoAmI: { reply: { user: guest, permissions: [], expiresAt: '2026-12-30T18:05:00.000Z' } },
  getMode: { ...ofStream, reply: slowMode },
  setMode: { ...ofStream, body: slowMode, reply: slowMode },
  alive: { reply: { status: 'ok' } },
  ready: {
    reply: { ready: true, node: 'region-1-node-1', parts: [{ name: 'nats', isReady: true }] },
  },
};
