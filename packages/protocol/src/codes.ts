/**
 * Every code an error of the product can have.
 *
 * - `status`: the HTTP status of an answer that carries it.
 *
 * What they mean stands in comments: every bundle with routes carries this table.
 */
export const errorCodes = {
  /** The platform refuses the account key, or the key may not use this endpoint. */
  ACCOUNT_REFUSED: { status: 502 },
  /** A web app is made in the module that gives it to `endpoint()`, where the browser would get it too. */
  APP_IN_MODULE: { status: 500 },
  /** `new URL(…, import.meta.url)` names a file that is not there when the bundle is made. A warning. */
  ASSET_NOT_FOUND: { status: 500 },
  /** The production route has no `authorize`, so it lets nobody call anything. */
  AUTHORIZE_MISSING: { status: 403 },
  /** A variable that says where an endpoint answers has a value that cannot be used. */
  BAD_ADDRESS: { status: 500 },
  /** A field of an endpoint config has a value that is not allowed. */
  BAD_CONFIG: { status: 500 },
  /** A variable that the platform gives to its workers is missing, or has a value that cannot be used. */
  BAD_ENVIRONMENT: { status: 500 },
  /** A request or answer body is not a well-formed sequence of frames. */
  BAD_FRAMES: { status: 400 },
  /** The input does not fit the function: a field is missing, unknown or invalid. */
  BAD_INPUT: { status: 422 },
  /** A build manifest is no manifest, or a value in it is not what it should be. */
  BAD_MANIFEST: { status: 500 },
  /** The name of an endpoint breaks a rule; the message says which. */
  BAD_NAME: { status: 500 },
  /** An option of `flash()`, of the handler or of a command is unknown or has a value that is not allowed. */
  BAD_OPTION: { status: 500 },
  /** A path leads out of its endpoint, or cannot be read: `..`, `\`, a control character. */
  BAD_PATH: { status: 400 },
  /** `FLASH_KEY` or `.flash/key` is missing, not 32 bytes of base64url, or not the key of the build. */
  BAD_PROJECT_KEY: { status: 500 },
  /** The request is not of the form the route expects. */
  BAD_REQUEST: { status: 400 },
  /** An answer could not be decoded; usually the two sides were built with different versions. */
  BAD_RESULT: { status: 502 },
  /** The path or the arguments of a route of a load-balanced endpoint cannot be used. */
  BAD_ROUTE: { status: 500 },
  /** Another process holds the folder that a build is written to. */
  BUILD_BUSY: { status: 500 },
  /** There is no finished build where one is needed. */
  BUILD_MISSING: { status: 500 },
  /** No bundler is installed for worker bundles, or for a config that has to be evaluated. */
  BUNDLER_NOT_FOUND: { status: 500 },
  /** The worker bundles of a build are over the limit; the message has the ten largest parts. */
  BUNDLE_TOO_LARGE: { status: 413 },
  /** An endpoint calls another one, and its workers have no key for that. */
  CALLS_NEED_KEY: { status: 503 },
  /** Endpoints call each other in a circle. A warning. */
  CALL_CIRCLE: { status: 500 },
  /** Endpoints call each other in a longer chain than is allowed, most likely in a circle. */
  CALL_LOOP: { status: 508 },
  /** The job was cancelled by someone else than this caller. */
  CANCELLED: { status: 409 },
  /** A value has a type that does not travel; the message names its path. */
  CANNOT_CARRY: { status: 422 },
  /** An address failed several times in a row, so nothing is sent to it for a while. */
  CIRCUIT_OPEN: { status: 503 },
  /** A build would give a browser what is not meant for it: code of a function, a secret, a file for servers. */
  CLIENT_LEAK: { status: 500 },
  /** A client of an endpoint was used in a browser; only servers, workers and scripts may. */
  CLIENT_SERVER_ONLY: { status: 400 },
  /** Evaluating an endpoint config threw, ended its process, or did not come to an end. */
  CONFIG_FAILED: { status: 500 },
  /** Several functions share one config constant that has no `name`. */
  CONFIG_NEEDS_NAME: { status: 500 },
  /** A value of an endpoint config cannot be decided before the code runs. */
  CONFIG_NOT_STATIC: { status: 500 },
  /** The connection to a load-balanced endpoint broke before its answer was complete. */
  CONNECTION_LOST: { status: 502 },
  /** Workers install something else of a package than this project has: another version, or none of its patch. A warning. */
  DEPENDENCY_DIFFERS: { status: 500 },
  /** A package is in a `package.json` and not installed here, so it is left for the worker to install. A warning. */
  DEPENDENCY_MISSING: { status: 500 },
  /** A module imports a package that is neither installed nor in a `package.json` that applies. */
  DEPENDENCY_NOT_DECLARED: { status: 500 },
  /** A module imports a package that is not installed; the hint has the install command. */
  DEPENDENCY_NOT_INSTALLED: { status: 500 },
  /** A package that workers install comes from a folder, a repository or an address, and no registry has it. */
  DEPENDENCY_NOT_PUBLISHED: { status: 500 },
  /** Neither a lockfile nor the config says which version of a package workers install. */
  DEPENDENCY_NO_VERSION: { status: 500 },
  /** One worker bundle needs two versions of a package that is not bundled. */
  DEPENDENCY_TWICE: { status: 500 },
  /** Two different configs have the same endpoint name; the message names both places. */
  DUPLICATE_ENDPOINT: { status: 500 },
  /** Two functions or web apps would get the same id; the message names both places. */
  DUPLICATE_FUNCTION: { status: 500 },
  /** Two routes of one endpoint, or two functions at one address of development, would answer the same requests. */
  DUPLICATE_ROUTE: { status: 500 },
  /** A load-balanced endpoint has no routes. */
  ENDPOINT_EMPTY: { status: 500 },
  /** The endpoint has no address: nothing was found that runs it, and it is not deployed. */
  ENDPOINT_NOT_DEPLOYED: { status: 503 },
  /** A variable named in `env` has no value here. */
  ENV_MISSING: { status: 500 },
  /** While developing, code would call an endpoint of the account that this project does not run. */
  EXTERNAL_ENDPOINT: { status: 500 },
  /** The request comes from a page or host that may not call this server. */
  FORBIDDEN: { status: 403 },
  /** The function threw something without a code of its own; name and message say what. */
  FUNCTION_FAILED: { status: 500 },
  /** A load-balanced endpoint answered with an error; `data` has its status and the text of its body. */
  HTTP_ERROR: { status: 502 },
  /** The container of an endpoint with an `image` was not ready: it ended, its image cannot be had, or it said nothing in time. */
  IMAGE_FAILED: { status: 502 },
  /** A module of a worker or a config imports what cannot be found. */
  IMPORT_NOT_FOUND: { status: 500 },
  /** A module of a worker imports files that are only known when it runs. */
  IMPORT_NOT_STATIC: { status: 500 },
  /** Something failed that is not meant for the caller; the server log has the details. */
  INTERNAL: { status: 500 },
  /** The job is not known here, or not any more. */
  JOB_NOT_FOUND: { status: 404 },
  /** A route with `local: true` was asked for where there is no server of the app that runs it. */
  LOCAL_NEEDS_SERVER: { status: 501 },
  /** Several package managers have a lockfile in one folder; the message says which is used. A warning. */
  LOCKFILE_AMBIGUOUS: { status: 500 },
  /** A lockfile cannot be read; the message says where and why. */
  LOCKFILE_INVALID: { status: 500 },
  /** A build manifest was written by a newer version than the one that reads it. */
  MANIFEST_TOO_NEW: { status: 500 },
  /** A class extends something that cannot be followed, so only its own methods can be called. A warning. */
  METHODS_UNKNOWN: { status: 500 },
  /** The route answers to another HTTP method. */
  METHOD_NOT_ALLOWED: { status: 405 },
  /** One endpoint would have two of: functions with a queue, routes, a web app; the message names both places. */
  MIXED_ENDPOINT: { status: 500 },
  /** The files of `model` are in none of the folders where they are looked for; the message lists them. */
  MODEL_NOT_STAGED: { status: 500 },
  /** A module of the project could not be loaded. */
  MODULE_FAILED: { status: 500 },
  /** Code for workers uses a module-level variable that changes; the app and each worker have their own copy. A warning. */
  MUTABLE_CAPTURE: { status: 500 },
  /** A bundle is started by a Node that is older than the one it is made for. */
  NODE_MISMATCH: { status: 500 },
  /** Something has to run in a container, and there is no Docker engine or no `dockerode` here. */
  NEEDS_DOCKER: { status: 500 },
  /** Evaluating an endpoint config twice gave two different results. */
  NON_DETERMINISTIC_CONFIG: { status: 500 },
  /** The call belongs to a part of the product that this version does not have. */
  NOT_AVAILABLE: { status: 501 },
  /** Nothing answers at this address. */
  NOT_FOUND: { status: 404 },
  /** The endpoint would be looked for on the account, and there is no account key. */
  NO_ACCOUNT: { status: 503 },
  /** `getContext()` was called where no remote function is running, or the member does not exist there. */
  NO_CONTEXT: { status: 500 },
  /** No worker of a load-balanced endpoint was healthy as long as a request may wait. */
  NO_WORKERS: { status: 400 },
  /** A call option or member that only server code may use was used in a browser. */
  OPTION_SERVER_ONLY: { status: 400 },
  /** The result does not fit the `output` schema of the function; the message names the field. */
  OUTPUT_INVALID: { status: 500 },
  /** A result cannot be written as plain JSON: of a function for a caller that is not ours, of a route for every one. */
  OUTPUT_NOT_JSON: { status: 500 },
  /** A body, argument or result is over the limit; the message has both sizes. */
  PAYLOAD_TOO_LARGE: { status: 413 },
  /** `remote()`, `endpoint()` or `createFlashHandler()` ran as written: the module was not loaded through the plugin. */
  PLUGIN_MISSING: { status: 500 },
  /** `remote()` does not have exactly two arguments, or one of them is a spread. */
  REMOTE_ARGUMENTS: { status: 500 },
  /** `remote` or `endpoint` is used other than by calling it, so the build cannot see what it makes. */
  REMOTE_AS_VALUE: { status: 500 },
  /** What is given as a function, class or handler is none that can be found by reading. */
  REMOTE_BODY: { status: 500 },
  /** `remote()` or `endpoint()` is called in a Vue, Svelte or Astro file. */
  REMOTE_IN_COMPONENT: { status: 500 },
  /** A function, route or web app goes into something other than a `const`. */
  REMOTE_NOT_CONST: { status: 500 },
  /** `remote()`, `endpoint()` or a route is inside a function, class, loop, condition, template, enum or namespace. */
  REMOTE_NOT_MODULE_LEVEL: { status: 500 },
  /** A function, route or web app has no name that reading the module could tell. */
  REMOTE_NO_NAME: { status: 500 },
  /** A function or handler uses `this`, `super`, `new.target` or `arguments` of a scope that does not travel. */
  REMOTE_SCOPE: { status: 500 },
  /** `remote()` or `endpoint()` is called without an import. */
  REMOTE_UNRESOLVED: { status: 500 },
  /** An endpoint asks for a variable that the platform or flash sets itself. */
  RESERVED_ENV: { status: 500 },
  /** A remote class has a method with a name that cannot be called from outside. */
  RESERVED_METHOD: { status: 500 },
  /** A path begins with a name that belongs to the server itself, to the platform or to workers. */
  RESERVED_PATH: { status: 400 },
  /** The platform does not take what a worker reports of a job; the message has its answer. */
  RESULT_REFUSED: { status: 502 },
  /** A call was tried several times, and each time nobody received it; `data` has the tries. */
  RETRIES_EXHAUSTED: { status: 502 },
  /** A schema of a route does not tell its JSON Schema, so that it gets text as it came. A warning. */
  SCHEMA_NOT_COERCED: { status: 500 },
  /** `setup` threw; the next call tries it again. */
  SETUP_FAILED: { status: 503 },
  /** The page and the server are from different builds; reload the page. */
  SKEW: { status: 409 },
  /** A top-level statement keeps in the page what otherwise only code for workers uses. A warning. */
  STAYS_IN_PAGE: { status: 500 },
  /** The connection broke and the stream cannot be continued where it stopped. */
  STREAM_LOST: { status: 410 },
  /** The connection broke before the call was accepted; it may or may not run, and is not sent again. */
  SUBMIT_UNKNOWN: { status: 502 },
  /** A source file cannot be parsed. */
  SYNTAX_ERROR: { status: 500 },
  /** The call did not finish in time and was cancelled. */
  TIMEOUT: { status: 504 },
  /** The answer did not come from our route: a proxy, another server or a page is in between. */
  TRANSPORT: { status: 502 },
  /** The session token is missing or wrong. */
  UNAUTHORIZED: { status: 401 },
  /** No endpoint has this name. */
  UNKNOWN_ENDPOINT: { status: 404 },
  /** An endpoint config has a field that does not exist; the message has the nearest one. */
  UNKNOWN_FIELD: { status: 500 },
  /** No function has this id. */
  UNKNOWN_FUNCTION: { status: 404 },
  /** The body has a content type, or a charset, that the route does not accept. */
  UNSUPPORTED_TYPE: { status: 415 },
  /** The path is a WebSocket, and the request did not ask for one. */
  UPGRADE_REQUIRED: { status: 426 },
  /** A worker bundle would need a source file as a file of its own. */
  URL_OF_CODE: { status: 500 },
  /** This server cannot open WebSockets here. */
  WEBSOCKET_UNSUPPORTED: { status: 426 },
  /** The worker ended while the call ran; the message has the exit code and its last output. */
  WORKER_CRASHED: { status: 502 },
  /** A request insists on a worker of a load-balanced endpoint that is not there any more. */
  WORKER_GONE: { status: 404 },
  /** The worker that ran the job disappeared; the job was tried again as often as allowed. */
  WORKER_LOST: { status: 500 },
  /** A request insists on a worker of a load-balanced endpoint that did not become healthy in time. */
  WORKER_TIMEOUT: { status: 400 },
  /** A load-balanced worker takes no requests: it could not start, or it ends. */
  WORKER_UNAVAILABLE: { status: 503 },
} as const satisfies Record<string, { status: number }>

export type ErrorCode = keyof typeof errorCodes
