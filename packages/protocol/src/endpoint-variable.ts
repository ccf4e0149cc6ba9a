/** The variable that says where an endpoint answers: `FLASH_ENDPOINT_SPEECH_TO_TEXT` for `speech-to-text`. */
export function endpointVariable(endpoint: string): string {
  return `FLASH_ENDPOINT_${endpoint.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}

/** Endpoints that one variable would speak for. */
export interface VariableClash {
  variable: string
  /** Sorted, at least two. */
  endpoints: string[]
}

/** Which names cannot stand beside each other, because their variables would be the same. */
export function findVariableClashes(endpoints: Iterable<string>): VariableClash[] {
  const byVariable = new Map<string, string[]>()
  for (const endpoint of [...new Set(endpoints)].sort()) {
    const variable = endpointVariable(endpoint)
    byVariable.set(variable, [...(byVariable.get(variable) ?? []), endpoint])
  }
  return [...byVariable]
    .filter(([, same]) => same.length > 1)
    .map(([variable, same]) => ({ variable, endpoints: same }))
}
