/** Types for what we use of swagger-ui-dist, which has none of its own. */
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  export interface SwaggerUIOptions {
    readonly dom_id: string;
    readonly url: string;
    readonly deepLinking: boolean;
    readonly docExpansion: 'list' | 'full' | 'none';
    readonly defaultModelsExpandDepth: number;
    readonly validatorUrl: string | null;
  }
  export default function SwaggerUI(options: SwaggerUIOptions): unknown;
}
