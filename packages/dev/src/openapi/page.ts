/** Everything is of this origin, and no script stands in the page. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

/** - `url`: path below the prefix and query, as they were sent. */
export function isDocsPage(method: string | undefined, url: string): boolean {
  return method === 'GET' && url.split('?', 1)[0] === '/docs'
}

/** - `prefix`: path below which the routes are. */
export function toPage(prefix: string): string {
  const at = (file: string) => escapeText(`${prefix}/docs/${file}`)
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Routes of this app</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${at('swagger-ui.css')}">
  </head>
  <body>
    <main id="docs"></main>
    <script src="${at('swagger-ui-bundle.js')}"></script>
    <script src="${at('init.js')}"></script>
  </body>
</html>
`
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}

/** Shows the document that is beside the page. */
export const initScript = `SwaggerUIBundle({
  url: new URL('../openapi.json', document.currentScript.src).href,
  dom_id: '#docs',
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
})
`
