import type { RouteMethod } from '@flash/protocol'
import type { Class } from './class.ts'
import type { CreateSocketServer } from './socket-server.ts'

/** The fields of a config that are code, and those that matter where the code runs. */
interface FunctionConfig {
  setup?: () => unknown
  input?: unknown
  output?: unknown
  model?: string
  executionTimeoutMs?: number
  instances?: number
}

/** Standard Schemas of what a route takes and gives; whatever else its author said there. */
export interface RouteOptions {
  params?: unknown
  query?: unknown
  body?: unknown
  response?: unknown
}

/** What a module says of a route beside its handler. */
export interface DefinedRoute {
  method: RouteMethod
  path: string
  options: RouteOptions
}

/** What a module says about one of its functions, routes and web apps: config and body as they were written. */
export interface Definition {
  config: FunctionConfig
  body: unknown
  route?: DefinedRoute
  /** Of routes and web apps: what answers requests, for `runtimeOf`. */
  balanced?: object
  /** Opens WebSockets, where there may be any. */
  createSocketServer?: CreateSocketServer
}

/** The functions of a module by id; an object without prototype. */
export type Functions = Record<string, Definition>

export function createDefinition(config: unknown, body: unknown): Definition {
  const isRecord = typeof config === 'object' && config !== null
  return { config: isRecord ? (config as FunctionConfig) : {}, body }
}

export function isClass(body: unknown): body is Class {
  // A class's `prototype` cannot be assigned; that of a plain function can, and other functions have none.
  return typeof body === 'function' && Object.getOwnPropertyDescriptor(body, 'prototype')?.writable === false
}

/** Declared with a star, so that calling it gives a generator at once. */
export function isGenerator(body: unknown): boolean {
  const tag = Object.prototype.toString.call(body)
  return tag === '[object GeneratorFunction]' || tag === '[object AsyncGeneratorFunction]'
}
