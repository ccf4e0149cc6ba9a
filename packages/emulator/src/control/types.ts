/** What names an endpoint for callers that know no id: the headers `X-Flash-App`, `X-Flash-Environment`, `X-Flash-Endpoint`. */
export interface EndpointNames {
  app: string
  environment: string
  endpoint: string
}

/** The account: what exists on it, and every request that asks for it or changes it. */
export interface Account {
  /** Whether the raw or `Bearer` value of an `Authorization` header opens the account, or one endpoint of it. */
  accepts(authorization: string | null, endpointId?: string): boolean
  /** The id of an endpoint by its app, environment and name. */
  lookUp(names: EndpointNames): string | undefined
  /** Answers REST v2 and v1, GraphQL, pod logs, artifacts and the login page; `null` for a path that is none of them. */
  fetch(request: Request): Promise<Response | null>
  /** Everything that exists, as plain data without secrets, for `/_emulator/state`. */
  snapshot(): unknown
  close(): Promise<void>
}
