/**
 * The one error catalogue: every code that leaves a node, by HTTP, RPC, RTMP or CLI.
 *
 * `retry`: `never` (fix the request), `later` (the same request may succeed), `elsewhere` (ask another node).
 * The `type` of a problem document (RFC 9457) is `https://tangaza.dev/errors/{code in kebab case}`, stable for ever.
 */
export const catalogue = {
  BAD_REQUEST: { status: 400, retry: 'never', title: 'The request is not valid.' },
  UNAUTHENTICATED: { status: 401, retry: 'never', title: 'A bearer token is needed.' },
  FORBIDDEN: { status: 403, retry: 'never', title: 'This identity may not do that.' },
  NOT_FOUND: { status: 404, retry: 'never', title: 'There is no such thing here.' },
  STREAM_NOT_FOUND: { status: 404, retry: 'never', title: 'There is no such stream.' },
  STREAM_NOT_LIVE: { status: 404, retry: 'later', title: 'The stream has not been on air yet.' },
  SEGMENT_NOT_FOUND: { status: 404, retry: 'never', title: 'There is no such segment.' },
  RANGE_EXPIRED: { status: 404, retry: 'never', title: 'That part of the video is no longer kept.' },
  RANGE_AHEAD: { status: 404, retry: 'later', title: 'That part of the video lies too far ahead.' },
  METHOD_NOT_ALLOWED: { status: 405, retry: 'never', title: 'This path does not take that method.' },
  NOT_ACCEPTABLE: { status: 406, retry: 'never', title: 'This path has nothing in a form that is accepted.' },
  CONFLICT: { status: 409, retry: 'never', title: 'The request contradicts what is there.' },
  STREAM_REMOVED: { status: 410, retry: 'never', title: 'The stream was removed.' },
  BODY_TOO_LARGE: { status: 413, retry: 'never', title: 'The body is too large.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: 'never', title: 'The body is in a form that is not taken.' },
  RANGE_NOT_SATISFIABLE: { status: 416, retry: 'never', title: 'The range lies outside of the object.' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    retry: 'never',
    title: 'The Idempotency-Key belongs to another request.',
  },
  NOT_PRODUCED_YET: { status: 425, retry: 'later', title: 'That part of the video is not produced yet.' },
  OVERLOADED: { status: 429, retry: 'later', title: 'Too much is asked at once.' },
  INTERNAL: { status: 500, retry: 'later', title: 'An error on our side.' },
  UNAVAILABLE: { status: 503, retry: 'elsewhere', title: 'This node cannot serve that now.' },
  STORE_FULL: { status: 507, retry: 'later', title: 'The segment store has no room left.' },
  STORE_UNAVAILABLE: { status: 503, retry: 'later', title: 'The segment store does not answer.' },
  DEADLINE_EXCEEDED: { status: 504, retry: 'later', title: 'The deadline of the call has passed.' },
  DEADLINE_UNKNOWN: { status: 503, retry: 'later', title: "The caller's clock is not known yet." },
  STALE_EPOCH: { status: 409, retry: 'elsewhere', title: 'A newer owner has taken over.' },
  NOT_OWNER: { status: 409, retry: 'elsewhere', title: 'Another node owns this stream.' },
  FENCED: { status: 409, retry: 'never', title: 'The index log has moved on under another owner.' },
  LOG_UNAVAILABLE: { status: 503, retry: 'later', title: 'The index log does not answer.' },
  STREAM_KEY_MISSING: {
    status: 401,
    retry: 'never',
    title: 'No stream key was given: publish to rtmp://HOST/live/STREAM_KEY.',
  },
  STREAM_KEY_UNKNOWN: { status: 401, retry: 'never', title: 'The stream key is not known.' },
  STREAM_BUSY: { status: 409, retry: 'later', title: 'Another publisher is on air with this key.' },
  TWIN_PENDING: {
    status: 425,
    retry: 'later',
    title: 'Another publisher of this stream is waited for, or compared with this one.',
  },
  PUBLISHER_BLOCKED: { status: 429, retry: 'later', title: 'Refused too often; blocked for a while.' },
  CODEC_REFUSED: {
    status: 415,
    retry: 'never',
    title: 'This codec or format is not taken: send H.264 video and AAC audio.',
  },
  KEYFRAME_INTERVAL: {
    status: 422,
    retry: 'never',
    title: 'keyframe interval over 10 s: set it to 2 s in the encoder',
  },
  MEDIA_INVALID: { status: 422, retry: 'never', title: 'The media cannot be read.' },
  PUBLISHER_SILENT: { status: 408, retry: 'later', title: 'The publisher sent nothing for too long.' },
  TRANSCODE_FAILED: { status: 500, retry: 'later', title: 'A segment could not be encoded.' },
  FINGERPRINT_DIFFERS: {
    status: 409,
    retry: 'elsewhere',
    title: "This worker's encoder differs from the period's.",
  },
} as const satisfies Record<
  string,
  { status: number; retry: 'never' | 'later' | 'elsewhere'; title: string }
>;

export type ErrorCode = keyof typeof catalogue;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(catalogue, code);
}
