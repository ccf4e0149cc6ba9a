import { AppError } from '@flash/protocol'
import type { Unchecked } from './check.ts'
import type { CheckConfig } from './config/rules.ts'
import type { EndpointConfig } from './config/types.ts'
import type { AnyFunction } from './kind.ts'
import type { Check, Class, FunctionUnder, Remote } from './stub.ts'

/**
 * A function, or a class, that runs on an endpoint: the result is called like the original and answers later.
 *
 * - `config`: the machine and how it scales; functions given the same constant share one endpoint.
 * - `body`: a function (async, sync or a generator) or a class, written here or named.
 * - what cannot travel is a compile error that names it; `unchecked(body)` turns that off.
 *
 * The plugin replaces every call of `remote`, so nothing of the body reaches a browser. Where this function runs itself the
 * plugin took no part, and it throws `PLUGIN_MISSING`.
 */
export function remote<const C extends EndpointConfig, F extends FunctionUnder<C> | Class>(
  config: C & CheckConfig<C>,
  body: F & Check<C, F>,
): Remote<C, F>
export function remote(): never {
  throw new AppError('PLUGIN_MISSING', {
    message:
      "remote() was called in a module that did not go through the plugin: add flash() from 'unplugin-flash/vite' to the plugins in vite.config.ts, or run scripts through Vite with it",
  })
}

/** Lets a function or class through without the compile-time check; what does not travel still fails when it is sent. */
export function unchecked<F extends AnyFunction | Class>(body: F): F & Unchecked {
  return body
}
