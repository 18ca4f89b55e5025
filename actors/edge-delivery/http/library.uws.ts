/**
 * Loads uWebSockets.js with our bound for the headers of a request. The library reads the bound from the environment once, when it is
 * loaded. A value that the operator set is kept.
 */

/** The library's own 4 kB is less than the cookies of a site may take. Nginx takes 32 kB as well. */
const headerBytes = 32_768;

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ||= String(headerBytes);

export const { App, us_listen_socket_close, us_socket_local_port } = await import('uWebSockets.js');
