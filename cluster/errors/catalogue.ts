/**
 * Lists every error code that leaves a node, by HTTP, RPC, RTMP or CLI. A title says what is wrong, and what to do about it.
 *
 * `retry`: `never` (fix the request), `later` (the same request may succeed), `elsewhere` (ask another node).
 * The `type` of a problem document (RFC 9457) is `https://tangaza.dev/errors/{code in kebab case}`, stable for ever.
 */
export const catalogue = {
  BAD_REQUEST: {
    status: 400,
    retry: 'never',
    title: 'The request is not valid: correct what the detail names.',
  },
  UNAUTHENTICATED: {
    status: 401,
    retry: 'never',
    title: 'A bearer token is needed: send Authorization: Bearer TOKEN.',
  },
  FORBIDDEN: { status: 403, retry: 'never', title: 'You are not allowed to do that.' },
  BANNED: { status: 403, retry: 'never', title: 'You may not take part in the comments of this stream.' },
  ACCOUNT_NEEDED: {
    status: 403,
    retry: 'never',
    title: 'Only accounts may comment on this stream: sign in.',
  },
  COMMENTS_CLOSED: { status: 403, retry: 'later', title: 'The comments of this stream are closed.' },
  NOT_FOUND: { status: 404, retry: 'never', title: 'Nothing has that address or id: check how it is spelt.' },
  STREAM_NOT_FOUND: { status: 404, retry: 'never', title: 'There is no such stream: check its id.' },
  STREAM_NOT_LIVE: {
    status: 404,
    retry: 'later',
    title: 'The stream has not been on air yet: ask again when it is.',
  },
  SEGMENT_NOT_FOUND: {
    status: 404,
    retry: 'never',
    title: 'There is no such segment: read the manifest again.',
  },
  RANGE_EXPIRED: {
    status: 404,
    retry: 'never',
    title: 'That part of the video is no longer kept: ask for a later one.',
  },
  RANGE_AHEAD: {
    status: 404,
    retry: 'later',
    title: 'That part of the video is too far in the future: ask for an earlier one, or wait.',
  },
  COMMENT_NOT_FOUND: { status: 404, retry: 'never', title: 'There is no such comment: check its id.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    retry: 'never',
    title: 'This path does not support that method: see the Allow header.',
  },
  NOT_ACCEPTABLE: {
    status: 406,
    retry: 'never',
    title: 'This path offers no format that the Accept header allows.',
  },
  CONFLICT: {
    status: 409,
    retry: 'never',
    title: 'The request conflicts with the present state: read the detail.',
  },
  COMMENT_EXPIRED: {
    status: 409,
    retry: 'never',
    title:
      'The comment was written too long ago, or its clock is wrong: look whether it is there, and write it anew with the time of GET /v1/time.',
  },
  DUPLICATE_TEXT: { status: 409, retry: 'later', title: 'You have just said that: say something else.' },
  STREAM_REMOVED: { status: 410, retry: 'never', title: 'The stream was removed.' },
  BODY_TOO_LARGE: { status: 413, retry: 'never', title: 'The body is too large: send a smaller one.' },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    retry: 'never',
    title: 'The body has a format that is not supported: send application/json.',
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    retry: 'never',
    title: 'The requested range lies outside of the object.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    retry: 'never',
    title: 'This Idempotency-Key was used for another request: send a new key.',
  },
  TEXT_REFUSED: { status: 422, retry: 'never', title: 'These words are not allowed here: change them.' },
  UPGRADE_REQUIRED: {
    status: 426,
    retry: 'never',
    title: 'This path is a websocket: connect to it with a client for websockets.',
  },
  PARENT_NOT_HERE: {
    status: 425,
    retry: 'later',
    title: 'The comment that this one answers has not arrived here yet: try again in a few seconds.',
  },
  NOT_PRODUCED_YET: {
    status: 425,
    retry: 'later',
    title: 'That part of the video is not produced yet: ask again in a few seconds.',
  },
  TOO_MANY_COMMENTS: {
    status: 429,
    retry: 'later',
    title: 'You do that too fast: wait for as long as Retry-After says.',
  },
  SLOW_MODE: {
    status: 429,
    retry: 'later',
    title: 'The stream is in slow mode: wait for as long as Retry-After says.',
  },
  OVERLOADED: {
    status: 429,
    retry: 'later',
    title: 'Too many requests at once: wait a moment and try again.',
  },
  INTERNAL: {
    status: 500,
    retry: 'later',
    title: 'The server failed: try again, and report it if it happens again.',
  },
  UNAVAILABLE: {
    status: 503,
    retry: 'elsewhere',
    title: 'This node cannot serve that now: ask another node.',
  },
  STORE_FULL: {
    status: 507,
    retry: 'later',
    title: 'A disk of the server is full: an operator must free space.',
  },
  STORE_UNAVAILABLE: { status: 503, retry: 'later', title: 'The segment store does not answer: try again.' },
  DEADLINE_EXCEEDED: {
    status: 504,
    retry: 'later',
    title: 'It took too long, and may be done all the same: look at what is there, then try again.',
  },
  DEADLINE_UNKNOWN: {
    status: 503,
    retry: 'later',
    title: "The node does not know the caller's clock yet: try again in a moment.",
  },
  STALE_EPOCH: {
    status: 409,
    retry: 'elsewhere',
    title: 'A newer owner has taken over this stream: ask that one.',
  },
  NOT_OWNER: { status: 409, retry: 'elsewhere', title: 'Another node owns this stream: ask that one.' },
  FENCED: {
    status: 409,
    retry: 'never',
    title: 'Another owner has written to the index log: this node no longer owns the stream.',
  },
  LOG_UNAVAILABLE: {
    status: 503,
    retry: 'later',
    title: 'The index log does not answer: check NATS, and try again.',
  },
  STREAM_KEY_MISSING: {
    status: 401,
    retry: 'never',
    title: 'No stream key was given: publish to rtmp://HOST/live/STREAM_KEY.',
  },
  STREAM_KEY_UNKNOWN: {
    status: 401,
    retry: 'never',
    title: 'The stream key is not known: /ops and `tangaza streams create` give one.',
  },
  STREAM_BUSY: {
    status: 409,
    retry: 'later',
    title: 'Another publisher is on air with this stream key: stop that one, or try again later.',
  },
  TWIN_PENDING: {
    status: 425,
    retry: 'later',
    title:
      'The owner waits for another publisher of this stream, or compares this one with it: keep sending, it decides within seconds.',
  },
  PUBLISHER_BLOCKED: {
    status: 429,
    retry: 'later',
    title: 'This address was refused too often: stop the encoder and try again after 30 s.',
  },
  CODEC_REFUSED: {
    status: 415,
    retry: 'never',
    title: 'This codec or format is not supported: send H.264, HEVC or AV1 video with AAC audio.',
  },
  KEYFRAME_INTERVAL: {
    status: 422,
    retry: 'never',
    title: 'The keyframe interval is over 10 s: set it to 2 s in the encoder.',
  },
  MEDIA_INVALID: { status: 422, retry: 'never', title: 'The media cannot be read: check the encoder.' },
  PUBLISHER_SILENT: {
    status: 408,
    retry: 'later',
    title: 'The publisher sent nothing for too long: start it again.',
  },
  TRANSCODE_FAILED: {
    status: 500,
    retry: 'later',
    title: 'A segment could not be encoded: its log line says why.',
  },
  FINGERPRINT_DIFFERS: {
    status: 409,
    retry: 'elsewhere',
    title:
      "This worker's ffmpeg differs from the one that the period began with: another worker must take the task.",
  },
} as const satisfies Record<
  string,
  { status: number; retry: 'never' | 'later' | 'elsewhere'; title: string }
>;

export type ErrorCode = keyof typeof catalogue;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(catalogue, code);
}
