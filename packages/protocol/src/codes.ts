/**
 * Every code an error of the product can have.
 *
 * - `status`: the HTTP status of an answer that carries it.
 * - `meaning`: one line for the documentation.
 */
export const errorCodes = {
  ACCOUNT_REFUSED: {
    status: 502,
    meaning: 'The platform refuses the account key, or the key may not use this endpoint.',
  },
  APP_IN_MODULE: {
    status: 500,
    meaning:
      'A web app is made in the module that gives it to `endpoint()`, where the browser would get it too.',
  },
  ASSET_NOT_FOUND: {
    status: 500,
    meaning:
      '`new URL(…, import.meta.url)` names a file that is not there when the bundle is made. A warning.',
  },
  AUTHORIZE_MISSING: {
    status: 403,
    meaning: 'The production route has no `authorize`, so it lets nobody call anything.',
  },
  BAD_ADDRESS: {
    status: 500,
    meaning: 'A variable that says where an endpoint answers has a value that cannot be used.',
  },
  BAD_CONFIG: { status: 500, meaning: 'A field of an endpoint config has a value that is not allowed.' },
  BAD_ENVIRONMENT: {
    status: 500,
    meaning:
      'A variable that the platform gives to its workers is missing, or has a value that cannot be used.',
  },
  BAD_FRAMES: { status: 400, meaning: 'A request or answer body is not a well-formed sequence of frames.' },
  BAD_INPUT: {
    status: 422,
    meaning: 'The input does not fit the function: a field is missing, unknown or invalid.',
  },
  BAD_MANIFEST: {
    status: 500,
    meaning: 'A build manifest is no manifest, or a value in it is not what it should be.',
  },
  BAD_NAME: { status: 500, meaning: 'The name of an endpoint breaks a rule; the message says which.' },
  BAD_OPTION: {
    status: 500,
    meaning:
      'An option of `flash()`, of the handler or of a command is unknown or has a value that is not allowed.',
  },
  BAD_PATH: {
    status: 400,
    meaning: 'A path leads out of its endpoint, or cannot be read: `..`, `\\`, a control character.',
  },
  BAD_PROJECT_KEY: {
    status: 500,
    meaning:
      '`FLASH_KEY` or `.flash/key` is missing, not 32 bytes of base64url, or not the key of the build.',
  },
  BAD_REQUEST: { status: 400, meaning: 'The request is not of the form the route expects.' },
  BAD_RESULT: {
    status: 502,
    meaning: 'An answer could not be decoded; usually the two sides were built with different versions.',
  },
  BAD_ROUTE: {
    status: 500,
    meaning: 'The path or the arguments of a route of a load-balanced endpoint cannot be used.',
  },
  BUILD_BUSY: { status: 500, meaning: 'Another process holds the folder that a build is written to.' },
  BUILD_MISSING: { status: 500, meaning: 'There is no finished build where one is needed.' },
  BUNDLER_NOT_FOUND: {
    status: 500,
    meaning: 'No bundler is installed for worker bundles, or for a config that has to be evaluated.',
  },
  BUNDLE_TOO_LARGE: {
    status: 413,
    meaning: 'The worker bundles of a build are over the limit; the message has the ten largest parts.',
  },
  CALLS_NEED_KEY: {
    status: 503,
    meaning: 'An endpoint calls another one, and its workers have no key for that.',
  },
  CALL_CIRCLE: {
    status: 500,
    meaning: 'Endpoints call each other in a circle. A warning.',
  },
  CALL_LOOP: {
    status: 508,
    meaning: 'Endpoints call each other in a longer chain than is allowed, most likely in a circle.',
  },
  CANCELLED: { status: 409, meaning: 'The job was cancelled by someone else than this caller.' },
  CANNOT_CARRY: {
    status: 422,
    meaning: 'A value has a type that does not travel; the message names its path.',
  },
  CIRCUIT_OPEN: {
    status: 503,
    meaning: 'An address failed several times in a row, so nothing is sent to it for a while.',
  },
  CLIENT_LEAK: {
    status: 500,
    meaning:
      'A build would give a browser what is not meant for it: code of a function, a secret, a file for servers.',
  },
  CLIENT_SERVER_ONLY: {
    status: 400,
    meaning: 'A client of an endpoint was used in a browser; only servers, workers and scripts may.',
  },
  CONFIG_FAILED: {
    status: 500,
    meaning: 'Evaluating an endpoint config threw, ended its process, or did not come to an end.',
  },
  CONFIG_NEEDS_NAME: {
    status: 500,
    meaning: 'Several functions share one config constant that has no `name`.',
  },
  CONFIG_NOT_STATIC: {
    status: 500,
    meaning: 'A value of an endpoint config cannot be decided before the code runs.',
  },
  CONNECTION_LOST: {
    status: 502,
    meaning: 'The connection to a load-balanced endpoint broke before its answer was complete.',
  },
  DEPENDENCY_DIFFERS: {
    status: 500,
    meaning:
      'Workers install something else of a package than this project has: another version, or none of its patch. A warning.',
  },
  DEPENDENCY_MISSING: {
    status: 500,
    meaning:
      'A package is in a `package.json` and not installed here, so it is left for the worker to install. A warning.',
  },
  DEPENDENCY_NOT_DECLARED: {
    status: 500,
    meaning: 'A module imports a package that is neither installed nor in a `package.json` that applies.',
  },
  DEPENDENCY_NOT_INSTALLED: {
    status: 500,
    meaning: 'A module imports a package that is not installed; the hint has the install command.',
  },
  DEPENDENCY_NOT_PUBLISHED: {
    status: 500,
    meaning:
      'A package that workers install comes from a folder, a repository or an address, and no registry has it.',
  },
  DEPENDENCY_NO_VERSION: {
    status: 500,
    meaning: 'Neither a lockfile nor the config says which version of a package workers install.',
  },
  DEPENDENCY_TWICE: {
    status: 500,
    meaning: 'One worker bundle needs two versions of a package that is not bundled.',
  },
  DUPLICATE_ENDPOINT: {
    status: 500,
    meaning: 'Two different configs have the same endpoint name; the message names both places.',
  },
  DUPLICATE_FUNCTION: {
    status: 500,
    meaning: 'Two `remote()` calls would get the same id; the message names both places.',
  },
  DUPLICATE_ROUTE: {
    status: 500,
    meaning:
      'Two routes of one endpoint, or two functions at one address of development, would answer the same requests.',
  },
  ENDPOINT_EMPTY: { status: 500, meaning: 'A load-balanced endpoint has no routes.' },
  ENDPOINT_NOT_DEPLOYED: {
    status: 503,
    meaning: 'The endpoint has no address: nothing was found that runs it, and it is not deployed.',
  },
  ENV_MISSING: { status: 500, meaning: 'A variable named in `env` has no value here.' },
  EXTERNAL_ENDPOINT: {
    status: 500,
    meaning: 'While developing, code would call an endpoint of the account that this project does not run.',
  },
  FORBIDDEN: { status: 403, meaning: 'The request comes from a page or host that may not call this server.' },
  FUNCTION_FAILED: {
    status: 500,
    meaning: 'The function threw something without a code of its own; name and message say what.',
  },
  HTTP_ERROR: {
    status: 502,
    meaning:
      'A load-balanced endpoint answered with an error; `data` has its status and the text of its body.',
  },
  IMPORT_NOT_FOUND: {
    status: 500,
    meaning: 'A module of a worker or a config imports what cannot be found.',
  },
  IMPORT_NOT_STATIC: {
    status: 500,
    meaning: 'A module of a worker imports files that are only known when it runs.',
  },
  INTERNAL: {
    status: 500,
    meaning: 'Something failed that is not meant for the caller; the server log has the details.',
  },
  JOB_NOT_FOUND: { status: 404, meaning: 'The job is not known here, or not any more.' },
  LOCKFILE_AMBIGUOUS: {
    status: 500,
    meaning:
      'Several package managers have a lockfile in one folder; the message says which is used. A warning.',
  },
  LOCKFILE_INVALID: { status: 500, meaning: 'A lockfile cannot be read; the message says where and why.' },
  MANIFEST_TOO_NEW: {
    status: 500,
    meaning: 'A build manifest was written by a newer version than the one that reads it.',
  },
  METHODS_UNKNOWN: {
    status: 500,
    meaning:
      'A class extends something that cannot be followed, so only its own methods can be called. A warning.',
  },
  METHOD_NOT_ALLOWED: { status: 405, meaning: 'The route answers to another HTTP method.' },
  MIXED_ENDPOINT: {
    status: 500,
    meaning:
      'One endpoint would have two of: functions with a queue, routes, a web app; the message names both places.',
  },
  MODEL_NOT_STAGED: {
    status: 500,
    meaning:
      'The files of `model` are in none of the folders where they are looked for; the message lists them.',
  },
  MODULE_FAILED: { status: 500, meaning: 'A module of the project could not be loaded.' },
  MUTABLE_CAPTURE: {
    status: 500,
    meaning:
      'A remote function uses a module-level variable that changes; the app and each worker have their own copy. A warning.',
  },
  NODE_MISMATCH: {
    status: 500,
    meaning: 'A bundle is started by a Node that is older than the one it is made for.',
  },
  NEEDS_DOCKER: {
    status: 500,
    meaning:
      'Something has to run in a container, and there is no Docker engine or no `dockerode` here, or nothing that starts it yet.',
  },
  NON_DETERMINISTIC_CONFIG: {
    status: 500,
    meaning: 'Evaluating an endpoint config twice gave two different results.',
  },
  NOT_AVAILABLE: {
    status: 501,
    meaning: 'The call belongs to a part of the product that this version does not have.',
  },
  NOT_FOUND: { status: 404, meaning: 'Nothing answers at this address.' },
  NO_ACCOUNT: {
    status: 503,
    meaning: 'The endpoint would be looked for on the account, and there is no account key.',
  },
  NO_CONTEXT: {
    status: 500,
    meaning:
      '`getContext()` was called where no remote function is running, or the member does not exist there.',
  },
  NO_WORKERS: {
    status: 400,
    meaning: 'No worker of a load-balanced endpoint was healthy as long as a request may wait.',
  },
  OPTION_SERVER_ONLY: {
    status: 400,
    meaning: 'A call option or member that only server code may use was used in a browser.',
  },
  OUTPUT_INVALID: {
    status: 500,
    meaning: 'The result does not fit the `output` schema of the function; the message names the field.',
  },
  OUTPUT_NOT_JSON: {
    status: 500,
    meaning: 'A result cannot be written as plain JSON for a caller that is not ours.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    meaning: 'A body, argument or result is over the limit; the message has both sizes.',
  },
  PLUGIN_MISSING: {
    status: 500,
    meaning:
      '`remote()`, `endpoint()` or `createFlashHandler()` ran as written: the module was not loaded through the plugin.',
  },
  REMOTE_ARGUMENTS: {
    status: 500,
    meaning: '`remote()` does not have exactly two arguments, or one of them is a spread.',
  },
  REMOTE_AS_VALUE: {
    status: 500,
    meaning: '`remote` is used other than by calling it, so the build cannot see its functions.',
  },
  REMOTE_BODY: {
    status: 500,
    meaning: 'The second argument of `remote()` is not a function or class that can be found by reading.',
  },
  REMOTE_IN_COMPONENT: { status: 500, meaning: '`remote()` is called in a Vue, Svelte or Astro file.' },
  REMOTE_NOT_CONST: {
    status: 500,
    meaning: 'The result of `remote()` goes into something other than a `const`.',
  },
  REMOTE_NOT_MODULE_LEVEL: {
    status: 500,
    meaning: '`remote()` is called inside a function, class, loop, condition, template, enum or namespace.',
  },
  REMOTE_NO_NAME: {
    status: 500,
    meaning: 'The result of `remote()` has no name that reading the module could tell.',
  },
  REMOTE_SCOPE: {
    status: 500,
    meaning:
      'A remote function uses `this`, `super`, `new.target` or `arguments` of a scope that does not travel.',
  },
  REMOTE_UNRESOLVED: { status: 500, meaning: '`remote()` is called without an import.' },
  RESERVED_ENV: {
    status: 500,
    meaning: 'An endpoint asks for a variable that the platform or flash sets itself.',
  },
  RESERVED_METHOD: {
    status: 500,
    meaning: 'A remote class has a method with a name that cannot be called from outside.',
  },
  RESERVED_PATH: {
    status: 400,
    meaning: 'A path begins with a name that belongs to the server itself, to the platform or to workers.',
  },
  RESULT_REFUSED: {
    status: 502,
    meaning: 'The platform does not take what a worker reports of a job; the message has its answer.',
  },
  RETRIES_EXHAUSTED: {
    status: 502,
    meaning: 'A call was tried several times, and each time nobody received it; `data` has the tries.',
  },
  SCHEMA_NOT_COERCED: {
    status: 500,
    meaning: 'A schema of a route does not tell its JSON Schema, so that it gets text as it came. A warning.',
  },
  SETUP_FAILED: { status: 503, meaning: '`setup` threw; the next call tries it again.' },
  SKEW: { status: 409, meaning: 'The page and the server are from different builds; reload the page.' },
  STAYS_IN_PAGE: {
    status: 500,
    meaning: 'A top-level statement keeps in the page what otherwise only remote functions use. A warning.',
  },
  STREAM_LOST: {
    status: 410,
    meaning: 'The connection broke and the stream cannot be continued where it stopped.',
  },
  SUBMIT_UNKNOWN: {
    status: 502,
    meaning:
      'The connection broke before the call was accepted; it may or may not run, and is not sent again.',
  },
  SYNTAX_ERROR: { status: 500, meaning: 'A source file cannot be parsed.' },
  TIMEOUT: { status: 504, meaning: 'The call did not finish in time and was cancelled.' },
  TRANSPORT: {
    status: 502,
    meaning: 'The answer did not come from our route: a proxy, another server or a page is in between.',
  },
  UNAUTHORIZED: { status: 401, meaning: 'The session token is missing or wrong.' },
  UNKNOWN_ENDPOINT: { status: 404, meaning: 'No endpoint has this name.' },
  UNKNOWN_FIELD: {
    status: 500,
    meaning: 'An endpoint config has a field that does not exist; the message has the nearest one.',
  },
  UNKNOWN_FUNCTION: { status: 404, meaning: 'No function has this id.' },
  UNSUPPORTED_TYPE: { status: 415, meaning: 'The body has a content type the route does not accept.' },
  UPGRADE_REQUIRED: { status: 426, meaning: 'The path is a WebSocket, and the request did not ask for one.' },
  URL_OF_CODE: { status: 500, meaning: 'A worker bundle would need a source file as a file of its own.' },
  WEBSOCKET_UNSUPPORTED: { status: 426, meaning: 'This server cannot open WebSockets here.' },
  WORKER_CRASHED: {
    status: 502,
    meaning: 'The worker ended while the call ran; the message has the exit code and its last output.',
  },
  WORKER_GONE: {
    status: 404,
    meaning: 'A request insists on a worker of a load-balanced endpoint that is not there any more.',
  },
  WORKER_LOST: {
    status: 500,
    meaning: 'The worker that ran the job disappeared; the job was tried again as often as allowed.',
  },
  WORKER_TIMEOUT: {
    status: 400,
    meaning: 'A request insists on a worker of a load-balanced endpoint that did not become healthy in time.',
  },
  WORKER_UNAVAILABLE: {
    status: 503,
    meaning: 'A load-balanced worker takes no requests: it could not start, or it ends.',
  },
} as const satisfies Record<string, { status: number; meaning: string }>

export type ErrorCode = keyof typeof errorCodes
