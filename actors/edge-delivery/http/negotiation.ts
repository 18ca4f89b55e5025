/** Checks which formats a caller sends and accepts, by `Content-Type` and `Accept` (RFC 9110, 8.3 and 12.5.1). */
import type { Route } from '../../../cluster/contract/api/routes.ts';
import { given } from '../../../cluster/errors/input-sentences.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { HttpRequest } from './http.ts';

const jsonType = /^application\/(?:[\w.-]+\+)?json$/i;

/** @throws TangazaError `UNSUPPORTED_MEDIA_TYPE` */
export function mustBeJson(request: HttpRequest): void {
  const [type = '', ...parameters] = request
    .header('content-type')
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((part) => /^charset=/i.test(part))
    ?.slice(8)
    .replaceAll('"', '');
  const coding = request.header('content-encoding');
  if (!jsonType.test(type))
    refuse(
      `Send the body as Content-Type: application/json; ${given(type === '' ? undefined : type)} was given.`,
    );
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8')
    refuse(`Send the body in UTF-8; charset=${given(charset)} was given.`);
  if (coding !== '' && coding.toLowerCase() !== 'identity')
    refuse(`Send the body without Content-Encoding; ${given(coding)} was given.`);
}

function refuse(detail: string): never {
  throw new TangazaError('UNSUPPORTED_MEDIA_TYPE', detail);
}

/**
 * Applies to the API only. Players and probes send any Accept header to playback paths, and get what there is.
 *
 * @throws TangazaError `NOT_ACCEPTABLE`
 */
export function mustBeAcceptable({ path, reply, tag }: Route, accept: string): void {
  if (tag === 'node' || !path.startsWith('/v1/') || accept === '' || reply.status === 204) return;
  const offered = [
    ...(reply.schema === undefined ? [] : ['application/json']),
    ...(reply.contentType === undefined ? [] : [reply.contentType]),
  ];
  if (offered.length === 0 || offered.some((type) => accepts(accept, type))) return;
  throw new TangazaError(
    'NOT_ACCEPTABLE',
    `This path gives ${offered.join(' or ')}; Accept: ${given(accept)} was given.`,
  );
}

function accepts(accept: string, type: string): boolean {
  const [kind] = type.split('/');
  return accept.split(',').some((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const isRefused = parameters.some((part) => /^q=0(?:\.0*)?$/.test(part));
    return !isRefused && (name === type || name === `${kind}/*` || name === '*/*');
  });
}
