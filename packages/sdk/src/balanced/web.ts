import type { ConnectOptions, Socket } from './socket.ts'

/** A whole web app: Hono, h3, Elysia, or any object with such a method. */
export interface WebApp {
  fetch(request: Request, ...rest: any): Response | Promise<Response>
}

/** The app, or what makes it, once in each worker. */
export type WebSource = WebApp | (() => WebApp | Promise<WebApp>)

type WebRequestOptions = Omit<RequestInit, 'method'>

/** A web app on a worker, as its callers see it. Typed clients take its `fetch`. */
export interface WebStub {
  /** Of a URL only path and query count. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Resolves once the socket is open, within 60 s; on servers to crossws's client class where Node has none. */
  connect(path: string | URL, options?: ConnectOptions): Promise<Socket>
  get(path: string, init?: WebRequestOptions): Promise<Response>
  post(path: string, init?: WebRequestOptions): Promise<Response>
  put(path: string, init?: WebRequestOptions): Promise<Response>
  patch(path: string, init?: WebRequestOptions): Promise<Response>
  delete(path: string, init?: WebRequestOptions): Promise<Response>
  head(path: string, init?: WebRequestOptions): Promise<Response>
  options(path: string, init?: WebRequestOptions): Promise<Response>
}
