/** The headers that limit what browsers do with a page (Content Security Policy level 3 and similar ones). */
import type { Headers } from '../http/http.ts';

/**
 * Scripts come only from this node. Styles may be inline, as the shadow trees of media-chrome have them. Media and manifests come from any
 * edge, as steering moves players to other edges. Media Source and the workers of hls.js are blobs.
 */
const policy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'worker-src': "'self' blob:",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data: http: https:",
  'media-src': "'self' blob: http: https:",
  'connect-src': "'self' http: https: ws: wss:",
  'base-uri': "'none'",
  'form-action': "'self'",
} as const;

/** @param isFramed whether other sites may show the page in a frame, which holds for the player only */
export function pageHeaders(isFramed: boolean): Headers {
  const directives = { ...policy, 'frame-ancestors': isFramed ? '*' : "'none'" };
  return {
    'content-security-policy': Object.entries(directives)
      .map(([name, value]) => `${name} ${value}`)
      .join('; '),
    'referrer-policy': 'strict-origin-when-cross-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    ...(isFramed ? {} : { 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin' }),
  };
}
