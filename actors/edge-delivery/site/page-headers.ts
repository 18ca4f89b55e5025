/** What browsers may do with a page (Content Security Policy level 3 and its kin). */
import type { Headers } from '../http/http.ts';

/**
 * Scripts come from here alone. Styles may be inline, for the shadow trees of media-chrome have them; media and manifests
 * come from any edge, for steering moves players to others; blobs are what Media Source and the workers of hls.js are.
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

/** @param isFramed whether other sites may show it in a frame of theirs: the player alone */
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
