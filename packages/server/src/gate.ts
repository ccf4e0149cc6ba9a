import type { RpcCaller } from './envelope.ts'

/** What somebody wants, as far as it is known when the gate is asked. */
export interface GateCall {
  /** `fetch` is a request to a load-balanced endpoint. */
  kind: 'call' | 'run' | 'resume' | 'cancel' | 'fetch'
  id: string
  endpoint: string
  /** Of a class; of a request its HTTP method. */
  method?: string
  /** Of a request, without its query. */
  path?: string
}

/** Decides who may call what, once a request has shown that it belongs to the app. */
export interface Gate {
  /** Whether the call has to be read first, because only its body names the method. */
  needsBody(id: string): boolean
  /** Whom the call belongs to from now on; throws what the caller is told instead, an `AppError` or a `Refusal`. */
  admit(request: Request, call: GateCall, caller: RpcCaller): Promise<string | null>
}

/** An answer that takes the place of the call's. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly response: Response

  constructor(response: Response) {
    super(`refused with status ${response.status}`)
    this.response = response
  }
}

/** Whoever the host let through may call everything. */
export const openGate: Gate = {
  needsBody: () => false,
  admit: async (_request, _call, caller) => caller.subject,
}
