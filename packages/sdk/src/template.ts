import type { PodTemplate as PodTemplateData } from '@flash/protocol'

/** The container a worker starts from, written once for several endpoints. */
export type PodTemplate = PodTemplateData

/** The same as writing `{ kind: 'template', … }`. */
export function PodTemplate<const T extends Omit<PodTemplateData, 'kind'>>(
  template: T,
): T & { readonly kind: 'template' } {
  return { ...template, kind: 'template' }
}
