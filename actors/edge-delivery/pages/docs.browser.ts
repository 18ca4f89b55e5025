/** The API for people: Swagger UI on the node's own OpenAPI document; nothing is loaded from elsewhere. */
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

SwaggerUI({
  dom_id: '#api',
  url: '/openapi.json',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  // Else a badge is asked of an outside host.
  validatorUrl: null,
});
