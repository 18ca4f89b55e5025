/** Shows the API to people: Swagger UI with the node's own OpenAPI document. Nothing is loaded from elsewhere. */
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

SwaggerUI({
  dom_id: '#api',
  url: '/openapi.json',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  // Otherwise it would load a badge from another host.
  validatorUrl: null,
});
